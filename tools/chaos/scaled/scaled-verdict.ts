import type { ScaledPhase } from './scaled-phase.ts';

export type Demands = { kills: number; leastRequests: number };

/** What is wrong with a phase in which the balancer has all its guards; nothing when all is well. */
export function violations(phase: ScaledPhase, { kills, leastRequests }: Demands): string[] {
  const { orders } = phase;
  const unless = (ok: boolean, text: string) => (ok ? [] : [text]);
  return [
    ...unless(phase.failed === 0, `${phase.failed} of ${phase.requests} requests failed`),
    ...unless(
      phase.requests >= leastRequests,
      `only ${phase.requests} requests, ${leastRequests} are asked for`,
    ),
    ...unless(phase.kills.length === kills, `only ${phase.kills.length} of ${kills} replicas were killed`),
    // Else no death has met a request, and 0 failures mean nothing.
    ...unless(phase.retried > 0, 'the balancer sent nothing again'),
    ...unless(
      orders.missing === 0 && orders.stored === orders.confirmed,
      `${orders.confirmed} orders were answered with 201, ${orders.stored} are stored, ${orders.missing} are missing`,
    ),
    ...unless(orders.paid === orders.confirmed, `${orders.paid} of ${orders.confirmed} orders are paid`),
  ];
}

/** A control that sees no failure shows that the load cannot see any. An order that was answered is kept all the same. */
export function controlViolations({ name, failed, orders }: ScaledPhase): string[] {
  return [
    ...(failed > 0 ? [] : [`the control "${name}" saw no failure, so 0 failures elsewhere mean nothing`]),
    ...(orders.missing === 0 ? [] : [`"${name}" lost ${orders.missing} orders that were answered with 201`]),
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
