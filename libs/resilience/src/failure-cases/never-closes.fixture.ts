import { exponentialOpen } from '../breaker.ts';
import { pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/index.ts';
import { consecutive } from '../window.ts';

/** R: how long the upstream takes to recover when it is left alone. */
export const RECOVERY_MS = 10_000;
/** Between two calls. */
export const EVERY_MS = RECOVERY_MS / 100;
/** Until the upstream answers. */
export const LATENCY_MS = 20;
/** Successful probes that close the circuit. */
export const SUCCESSES = 3;
const GIVE_UP_AFTER = 100;

export type Setting = {
  /** Open time, in R. */
  openFor: number;
  /** Does the open time double with each opening? Default false. */
  doubling?: boolean;
  /** Does a call that hits it while it recovers set the upstream back? Default true. */
  setsBack?: boolean;
};

export type Closing = {
  /** From the first opening, in R; null: not within 100 R. */
  closedAfter: number | null;
  /** Calls that reached the upstream after the first opening. */
  probes: number;
};

/**
 * An upstream that is starting up, or filling its caches, or failing over, and begins anew when it is hit meanwhile; and
 * callers behind a circuit breaker who come all the time.
 */
export async function untilClosed({ openFor, doubling = false, setsBack = true }: Setting): Promise<Closing> {
  const clock = new VirtualClock();
  const openForMs = openFor * RECOVERY_MS;
  const upstream = pipeline({ name: 'upstream', clock }).breaker({
    window: consecutive(5),
    openFor: doubling ? exponentialOpen(openForMs, 100 * openForMs) : openForMs,
    halfOpen: { calls: 5, successes: SUCCESSES },
  });
  let recoveredAt = RECOVERY_MS;
  let hits = 0;
  const call = (): Promise<void> => {
    hits++;
    const up = clock.now() >= recoveredAt;
    if (!up && setsBack) recoveredAt = clock.now() + RECOVERY_MS;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    clock.setTimer(up ? resolve : () => reject(new Error('still recovering')), LATENCY_MS);
    return promise;
  };
  let openedAt = Infinity;
  let closedAt = Infinity;
  let hitsUntilOpen = 0;
  upstream.on('stateChange', ({ to }) => {
    if (to === 'closed') closedAt = clock.now();
    if (to !== 'open' || openedAt < Infinity) return;
    openedAt = clock.now();
    hitsUntilOpen = hits;
  });
  while (
    closedAt === Infinity &&
    clock.now() - Math.min(openedAt, clock.now()) < GIVE_UP_AFTER * RECOVERY_MS
  ) {
    void upstream.outcome(call);
    await clock.advance(EVERY_MS);
  }
  return {
    closedAfter: closedAt === Infinity ? null : (closedAt - openedAt) / RECOVERY_MS,
    probes: hits - hitsUntilOpen,
  };
}
