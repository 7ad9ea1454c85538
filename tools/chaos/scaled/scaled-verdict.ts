import { callerViolations } from '../load/judgement.ts';
import type { ScaledPhase } from './scaled-phase.ts';

export type Demands = { kills: number; leastRequests: number };

/** What is wrong with a phase in which the balancer has all its guards; nothing when all is well. */
export function violations(phase: ScaledPhase, { kills, leastRequests }: Demands): string[] {
  return [
    ...callerViolations(phase, leastRequests),
    ...(phase.kills.length === kills ? [] : [`only ${phase.kills.length} of ${kills} replicas were killed`]),
    // Else no death has met a request, and 0 failures mean nothing.
    ...(phase.retried > 0 ? [] : ['the balancer sent nothing again']),
  ];
}

/** Rows for a table, one per phase. */
export function rowsOf(phases: ScaledPhase[]): string[][] {
  const ms = (value: number) => `${Math.round(value)} ms`;
  return [
    ['phase', 'killed', 'requests', 'rate', 'failed', 'sent again', 'p50', 'p99', 'max'],
    ...phases.map((phase) => [
      phase.name,
      String(phase.kills.length),
      String(phase.requests),
      `${phase.ratePerS.toFixed(0)}/s`,
      String(phase.failed),
      String(phase.retried),
      ...[phase.p50Ms, phase.p99Ms, phase.maxMs].map(ms),
    ]),
  ];
}
