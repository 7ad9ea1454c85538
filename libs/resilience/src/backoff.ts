import { check, isFiniteNumber } from './check.ts';
import { toMs, type Duration } from './duration.ts';

/** Upper bound in ms of the wait before retry 1, 2, 3, …; jitter picks the wait below it. */
export type Backoff = (retry: number) => number;

/**
 * How much of the bound is left to chance: `'full'` all of it, `'equal'` its upper half, `'none'` nothing, so that
 * clients that failed together come back together.
 */
export type Jitter = 'full' | 'equal' | 'none';

export type ExponentialOptions = {
  /** Bound of the first wait, above 0. */
  base: Duration;
  /** Bound of any wait, at least `base`. */
  max: Duration;
  /** What the bound grows by from retry to retry, at least 1. Default 2. */
  factor?: number;
};

/**
 * Waits that grow: base, base · factor, base · factor², … up to max.
 *
 * @throws RangeError when base or max is no duration, max is below base, or factor is below 1
 */
export function exponential({ base, max, factor = 2 }: ExponentialOptions): Backoff {
  const baseMs = toMs(base, 'base');
  const maxMs = toMs(max, 'max');
  check(maxMs >= baseMs, 'max', `at least base (${baseMs} ms)`, max);
  check(isFiniteNumber(factor) && factor >= 1, 'factor', 'a finite number from 1', factor);
  // Past 2^1024 the power is Infinity, and the smaller of the two is still max.
  return (retry) => Math.min(maxMs, baseMs * factor ** (retry - 1));
}

/**
 * The same bound for every wait. 0 retries at once, which only makes sense with very few attempts.
 *
 * @throws RangeError when wait is neither a duration nor 0
 */
export function constant(wait: Duration): Backoff {
  const ms = toMs(wait, 'wait', { allowZero: true });
  return () => ms;
}

/**
 * The wait in ms: a random one below `boundMs`, see
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ for why full jitter costs the least calls.
 *
 * @param random in [0, 1), asked once unless jitter is `'none'`
 */
export function jittered(boundMs: number, jitter: Jitter, random: () => number): number {
  if (jitter === 'full') return random() * boundMs;
  if (jitter === 'equal') return boundMs / 2 + (random() * boundMs) / 2;
  return boundMs;
}

/** @throws RangeError unless it is one of the three: a misspelt one must not turn into none */
export function checkJitter(jitter: Jitter): Jitter {
  const known: readonly unknown[] = ['full', 'equal', 'none'];
  check(known.includes(jitter), 'jitter', `'full', 'equal' or 'none'`, jitter);
  return jitter;
}
