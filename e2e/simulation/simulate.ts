import { audit } from './audit.ts';
import { booksOf, unsettled } from './books.ts';
import type { Bug } from './bugs.ts';
import { breakThings, heal, weatherOf } from './faults.ts';
import { replaceGlobals } from './globals.ts';
import { Kernel } from './kernel.ts';
import { System } from './system.ts';

export type Run = {
  seed: number;
  violations: string[];
  /** Of every line of the trace. */
  digest: string;
  steps: number;
  virtualMs: number;
  orders: number;
  /** How long after the healing all was settled, in virtual ms. */
  settledMs: number;
  /** The last lines of the trace. */
  tail: string[];
};

const CHAOS_MS = 20_000;
/** In a healed world everything is settled by then. */
const SETTLE_MS = 60_000;
/** Longer than the latest request is late. */
const QUIET_MS = 7000;

/**
 * One seed, in modules that no other has used: customers buy while things break, then all is healed and left to settle, then
 * the books are audited.
 */
export async function simulate(seed: number, { bug, keep }: { bug?: Bug; keep?: number } = {}): Promise<Run> {
  const kernel = new Kernel(seed, { ...(keep && { keep }) });
  const system = new System(kernel, bug);
  const restore = replaceGlobals(kernel, system.fetch);
  const strayed: string[] = [];
  const stray = (reason: unknown) =>
    void strayed.push(`unhandled: ${String((reason as Error)?.stack ?? reason)}`);
  process.on('unhandledRejection', stray);
  // Errors are ordinary here; their stacks would be most of the work.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = keep ? 10 : 0;
  try {
    system.weather = weatherOf(kernel);
    system.start(4 + kernel.below(5), CHAOS_MS * 0.7);
    breakThings(system);
    await kernel.runUntil(() => false, CHAOS_MS);
    heal(system);
    const healedAt = kernel.now;
    // Asked now and then: it reads all books.
    const settled = () => kernel.steps % 16 === 0 && unsettled(system).length === 0;
    await kernel.runUntil(settled, SETTLE_MS);
    const settledMs = kernel.now - healedAt;
    await kernel.runUntil(() => false, QUIET_MS);
    if (unsettled(system).length > 0) await kernel.runUntil(settled, SETTLE_MS);
    const books = booksOf(system);
    const violations = [...strayed, ...audit(books)].map((line) => kernel.trace.named(line));
    const digest = kernel.trace.digest();
    const { now: virtualMs, steps } = kernel;
    const orders = books.orders.length;
    return { seed, violations, digest, steps, virtualMs, orders, settledMs, tail: kernel.trace.tail() };
  } finally {
    restore();
    Error.stackTraceLimit = stackTraceLimit;
    process.off('unhandledRejection', stray);
  }
}
