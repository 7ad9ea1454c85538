import type { CallContext, Work } from './context.ts';
import { isCancel, isRejection } from './errors.ts';
import type { Machine } from './machine.ts';
import { Thrown, verdict, type Unsuccessful } from './outcome.ts';

/** Starts the work, and makes a promise of whatever it answers or throws. */
export function begin(work: Work<unknown>, ctx: CallContext): Promise<unknown> {
  try {
    return Promise.resolve(work(ctx));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What an error of the work says. Only `failed` says something about the other side. */
export function classify(machine: Machine, error: unknown, cancelled: boolean): Unsuccessful {
  if (isRejection(error)) return { status: 'rejected', error, code: error.code };
  if (cancelled || isCancel(error)) return { status: 'cancelled', error };
  const failed = verdict(machine.isFailure, error);
  if (failed instanceof Thrown) return failed;
  return { status: failed ? 'failed' : 'ignored', error };
}

/** The work of an attempt has settled, in time or long after it was given up. */
export function release({ bulkhead, counts }: Machine): void {
  counts.running--;
  if (bulkhead !== null) bulkhead.release();
}

/** What an attempt without a value tells the breaker: a failure, or that its permit is free again. */
export function learnFrom(
  machine: Machine,
  era: number,
  startedAt: number | null,
  { status }: Unsuccessful,
): void {
  if (status === 'failed') learn(machine, era, startedAt, true);
  else if (machine.breaker !== null) machine.breaker.giveBack(era);
}

/**
 * Lets the breaker and the adaptive bulkhead learn from an attempt that ended `ok` or `failed`, while it still is one of
 * those that run.
 */
export function learn(machine: Machine, era: number, startedAt: number | null, failed: boolean): void {
  const { breaker, adaptive, bulkhead } = machine;
  if (breaker === null && adaptive === null) return;
  // Not for an adaptive bulkhead, which always needs the time: so there is a breaker.
  if (!machine.timesEnd) return breaker!.record(era, failed, false, 0);
  const nowMs = machine.clock.now();
  const tookMs = startedAt === null ? 0 : nowMs - startedAt;
  if (adaptive !== null) {
    adaptive.sample(tookMs, bulkhead!.running, failed);
    bulkhead!.resize(adaptive.limit);
  }
  if (breaker !== null) breaker.record(era, failed, tookMs > breaker.slowAfterMs, nowMs);
}
