import type { Phase } from './rolling-phase.ts';

export type Demands = { restarts: number; leastRequests: number; leastRatePerS: number };

/** What is wrong with a phase in which replicas leave in order; nothing when all is well. */
export function violations(phase: Phase, { restarts, leastRequests, leastRatePerS }: Demands): string[] {
  const { orders } = phase;
  const found: string[] = [];
  const unless = (ok: boolean, text: string) => void (ok || found.push(text));
  unless(phase.failed === 0, `${phase.failed} of ${phase.requests} requests failed`);
  unless(phase.requests >= leastRequests, `only ${phase.requests} requests, ${leastRequests} are asked for`);
  unless(
    phase.ratePerS >= leastRatePerS,
    `only ${phase.ratePerS.toFixed(0)} requests/s, ${leastRatePerS} are asked for`,
  );
  unless(phase.restarts.length === restarts, `only ${phase.restarts.length} of ${restarts} restarts`);
  for (const { replica, how, outAfterMs, goneAfterMs } of phase.restarts) {
    unless(how === 'exit code 0', `${replica} left with ${how}`);
    unless(outAfterMs !== undefined && outAfterMs <= goneAfterMs, `${replica} left before the balancer knew`);
  }
  unless(
    orders.missing === 0 && orders.stored === orders.confirmed,
    `${orders.confirmed} orders were answered with 201, ${orders.stored} are stored, ${orders.missing} are missing`,
  );
  unless(orders.paid === orders.confirmed, `${orders.paid} of ${orders.confirmed} orders are paid`);
  return found;
}

/** A control that sees no failure shows that the load cannot see any. An order that was answered is kept all the same. */
export function controlViolations({ name, failed, orders }: Phase, mustFail: boolean): string[] {
  return [
    ...(failed > 0 || !mustFail
      ? []
      : [`the control "${name}" saw no failure, so 0 failures elsewhere mean nothing`]),
    ...(orders.missing === 0 ? [] : [`"${name}" lost ${orders.missing} orders that were answered with 201`]),
  ];
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
