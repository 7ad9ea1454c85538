import { relative } from 'node:path';
import { repoRoot } from '../../stack/paths.ts';
import type { Summary } from './ledger.ts';
import type { OrderCounts } from './stored-orders.ts';

/** What every phase under load has, whatever happens to the replicas in it. */
export type LoadPhase = Summary & {
  name: string;
  reasons: string[];
  orders: OrderCounts;
  /** Requests that were sent while no replica said that it was ready. */
  unready: number;
  /** Where every failure and every step is written down. */
  folder: string;
};

/** Above this the caller itself lacked the CPU that it takes to send, and so did what it sent to. */
const BUSY_MS = 250;

/** What a guarded phase owes to its callers: every request answered, every order that was answered kept and paid. */
export function callerViolations({ failed, requests, orders }: LoadPhase, leastRequests: number): string[] {
  const unless = (ok: boolean, text: string) => (ok ? [] : [text]);
  return [
    ...unless(failed === 0, `${failed} of ${requests} requests failed`),
    ...unless(requests >= leastRequests, `only ${requests} requests, ${leastRequests} are asked for`),
    ...unless(
      orders.missing === 0 && orders.stored === orders.confirmed,
      `${orders.confirmed} orders were answered with 201, ${orders.stored} are stored, ${orders.missing} are missing`,
    ),
    ...unless(orders.paid === orders.confirmed, `${orders.paid} of ${orders.confirmed} orders are paid`),
  ];
}

/** A control that sees no failure shows that the load cannot see any. An order that was answered is kept all the same. */
export function controlViolations({ name, failed, orders }: LoadPhase, mustFail = true): string[] {
  return [
    ...(failed > 0 || !mustFail
      ? []
      : [`the control "${name}" saw no failure, so 0 failures elsewhere mean nothing`]),
    ...(orders.missing === 0 ? [] : [`"${name}" lost ${orders.missing} orders that were answered with 201`]),
  ];
}

/** Prints the failures of all phases, of which the first is the guarded one, and how it ended: `passed` when nothing is wrong. */
export function tellEnd(phases: LoadPhase[], wrong: string[], passed: string): void {
  const [guarded] = phases as [LoadPhase];
  if (guarded.unready > 0)
    console.log(`${guarded.unready} of them were sent while no replica said that it was ready (see README).`);
  for (const { name, reasons, folder } of phases.filter(({ failed }) => failed > 0)) {
    console.log(`\n${name}, each failure in ${relative(repoRoot, folder)}/failures.jsonl:`);
    for (const reason of reasons.slice(0, 8)) console.log(`  ${reason}`);
  }
  console.log();
  if (guarded.lateP99Ms > BUSY_MS && wrong.length > 0)
    console.log(
      `The machine was too busy to send in time (p99 ${Math.round(guarded.lateP99Ms)} ms late): try again.`,
    );
  for (const one of wrong) console.log(`✗ ${one}`);
  if (wrong.length === 0) console.log(`✓ ${passed}`);
}
