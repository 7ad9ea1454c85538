import { check, checkWhole, isFiniteNumber } from './check.ts';
import { toMs, type Duration } from './duration.ts';

export type AdaptiveOptions = {
  /** The limit never falls below this, a whole number from 1. Default 1. */
  min?: number;
  /** The limit never rises above this. Default 200. */
  max?: number;
  /** What the limit starts with. Default 20, or the nearest of min and max. */
  initial?: number;
  /** Calls that may wait for a place. Default 0. */
  queue?: number;
  /** How long a call may wait for a place. Default: as long as its deadline and its caller let it. */
  queueTimeout?: Duration;
  /** How many times slower than uncrowded calls may get before the limit falls, from 1. Default 1.2. */
  tolerance?: number;
};

/** Options of a bulkhead that finds its own size, checked and complete. */
export type AdaptiveBulkhead = Readonly<
  { kind: 'adaptive'; queueTimeout: Duration | undefined } & Required<Omit<AdaptiveOptions, 'queueTimeout'>>
>;

/**
 * A bulkhead that finds its own size: it grows while calls are as fast as uncrowded ones and shrinks when they queue up
 * at the other end or fail, see `AdaptiveLimit`.
 *
 * @throws RangeError that quotes the option, see `AdaptiveOptions`
 */
export function adaptive(options: AdaptiveOptions = {}): AdaptiveBulkhead {
  const { min = 1, max = 200, queue = 0, queueTimeout, tolerance = 1.2 } = options;
  checkWhole(min, 'min', 1);
  checkWhole(max, 'max', min);
  const { initial = Math.min(max, Math.max(min, 20)) } = options;
  checkWhole(initial, 'initial', min, max);
  checkWhole(queue, 'queue', 0);
  if (queueTimeout !== undefined) toMs(queueTimeout, 'queueTimeout');
  check(isFiniteNumber(tolerance) && tolerance >= 1, 'tolerance', 'a finite number from 1', tolerance);
  return Object.freeze({ kind: 'adaptive', min, max, initial, queue, queueTimeout, tolerance });
}

/** Share of the way to the newly computed limit that one window goes. */
const SMOOTHING = 0.2;
/** A window of fewer calls measures chance. */
const MIN_SAMPLES = 30;
/** Windows at the limit from probe to probe, and after a probe that found a change. */
const PROBE_EVERY = 50;
const PROBE_SOON = 10;
/** A probe that is off the baseline by more has found a change; a smaller difference is chance and only averaged in. */
const CHANGE = 0.2;
const LEARNING = 0.5;

/**
 * How many calls the other end can take at a time, learnt from how long they take. Per window of calls (about one
 * generation of them): limit ← limit · gradient + √limit, smoothed, where the gradient is tolerance · baseline latency ÷
 * latency, between ½ and 1, and √limit is the queue that is allowed so that growth is tried at all. After Gradient2 of
 * Netflix' concurrency-limits (https://github.com/Netflix/concurrency-limits), with two changes:
 *
 * - Its baseline is the long-term average. Under lasting load that becomes the latency of the queue, and the limit walks
 *   off to max. Ours is measured uncrowded only: while less than half the limit is used, or, under lasting load, in a
 *   probe: about every fiftieth generation the limit is halved for three, two to let the queue run dry, one to measure.
 * - It ignores failures. Ours lowers the limit by half the share of calls that failed, as DCTCP does with marked packets
 *   (RFC 8257, section 3.3): where all time out it halves per window, while a few stray failures hardly move it.
 *
 * No growth while the limit is not used: calls running < limit / 2 prove nothing about more.
 */
export class AdaptiveLimit {
  readonly #min: number;
  readonly #max: number;
  readonly #tolerance: number;
  #limit: number;
  /** The limit outside of probes, not rounded. */
  #estimate: number;
  /** Mean latency of uncrowded calls in ms, 0 until one is known. */
  #baselineMs = 0;
  #phase: 'normal' | 'draining' | 'probing' = 'normal';
  #untilProbe = PROBE_SOON;
  // The window that is being filled.
  #size: number;
  #samples = 0;
  #failures = 0;
  #sumMs = 0;
  #peak = 0;

  constructor({ min, max, initial, tolerance }: AdaptiveBulkhead) {
    this.#min = min;
    this.#max = max;
    this.#tolerance = tolerance;
    this.#limit = this.#estimate = initial;
    this.#size = Math.max(MIN_SAMPLES, initial);
  }

  /** Calls allowed at a time, whole, in [min, max]. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * One call has settled. Costs a few additions; once per window the limit moves.
   *
   * @param durationMs how long it ran, without its wait for a place
   * @param running calls that were running when it settled, itself included
   * @param dropped it timed out or failed; its duration is not used, for a refused connection is quick
   */
  sample(durationMs: number, running: number, dropped: boolean): void {
    if (dropped) this.#failures++;
    else if (durationMs > 0) this.#sumMs += durationMs;
    if (running > this.#peak) this.#peak = running;
    if (++this.#samples >= this.#size) this.#endWindow();
  }

  #endWindow(): void {
    const succeeded = this.#samples - this.#failures;
    const meanMs = succeeded > 0 ? this.#sumMs / succeeded : 0;
    if (this.#phase === 'draining') this.#phase = 'probing';
    else if (this.#phase === 'probing') this.#endProbe(meanMs);
    else if (this.#peak < this.#estimate / 2) this.#learn(meanMs, LEARNING);
    else this.#adjust(meanMs, this.#failures / this.#samples);
    this.#startWindow();
  }

  #startWindow(): void {
    const wanted = this.#phase === 'normal' ? this.#estimate : this.#estimate / 2;
    this.#limit = Math.max(this.#min, Math.floor(wanted));
    // Slow calls of the crowd outlive a generation; draining for one only left the simulated limit twice too high.
    this.#size = Math.max(MIN_SAMPLES, this.#phase === 'draining' ? 2 * this.#peak : this.#limit);
    this.#samples = this.#failures = this.#sumMs = this.#peak = 0;
  }

  #adjust(meanMs: number, failed: number): void {
    if (this.#baselineMs === 0) this.#baselineMs = meanMs;
    const ratio = meanMs > 0 ? (this.#tolerance * this.#baselineMs) / meanMs : 1;
    const wanted = this.#estimate * Math.min(1, Math.max(0.5, ratio)) + Math.sqrt(this.#estimate);
    const smoothed = this.#estimate + SMOOTHING * (wanted - this.#estimate);
    this.#estimate = Math.min(this.#max, Math.max(this.#min, smoothed * (1 - failed / 2)));
    // Only a limit that is pressed on can have made a queue.
    if (this.#peak >= this.#limit && --this.#untilProbe <= 0) this.#phase = 'draining';
  }

  #endProbe(meanMs: number): void {
    this.#phase = 'normal';
    const changed = Math.abs(meanMs - this.#baselineMs) > CHANGE * this.#baselineMs;
    this.#learn(meanMs, changed ? 1 : LEARNING);
    this.#untilProbe = changed ? PROBE_SOON : PROBE_EVERY;
  }

  #learn(meanMs: number, share: number): void {
    if (this.#baselineMs === 0) this.#baselineMs = meanMs;
    else if (meanMs > 0) this.#baselineMs += share * (meanMs - this.#baselineMs);
  }
}
