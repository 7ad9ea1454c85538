import { callerViolations } from '../load/judgement.ts';
import type { Phase } from './rolling-phase.ts';

export type Demands = { restarts: number; leastRequests: number; leastRatePerS: number };

/** What is wrong with a phase in which replicas leave in order; nothing when all is well. */
export function violations(phase: Phase, { restarts, leastRequests, leastRatePerS }: Demands): string[] {
  const found = callerViolations(phase, leastRequests);
  const unless = (ok: boolean, text: string) => void (ok || found.push(text));
  unless(
    phase.ratePerS >= leastRatePerS,
    `only ${phase.ratePerS.toFixed(0)} requests/s, ${leastRatePerS} are asked for`,
  );
  unless(phase.restarts.length === restarts, `only ${phase.restarts.length} of ${restarts} restarts`);
  for (const { replica, how, outAfterMs, goneAfterMs } of phase.restarts) {
    unless(how === 'exit code 0', `${replica} left with ${how}`);
    unless(outAfterMs !== undefined && outAfterMs <= goneAfterMs, `${replica} left before the balancer knew`);
  }
  return found;
}

/** Rows for a table, one per phase. */
export function rowsOf(phases: Phase[]): string[][] {
  const ms = (value: number) => `${Math.round(value)} ms`;
  const header = ['phase', 'restarts', 'requests', 'rate', 'failed', 'share', 'p50', 'p99', 'max'];
  return [
    header,
    ...phases.map((phase) => [
      phase.name,
      String(phase.restarts.length),
      String(phase.requests),
      `${phase.ratePerS.toFixed(0)}/s`,
      String(phase.failed),
      `${((100 * phase.failed) / phase.requests).toFixed(2)} %`,
      ...[phase.p50Ms, phase.p99Ms, phase.maxMs].map(ms),
    ]),
  ];
}
