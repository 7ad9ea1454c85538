import { checkWhole } from './check.ts';
import { toMs, type Duration } from './duration.ts';

/** Which of the finished calls a breaker judges by. Made by `count`, `time`, `consecutive` and `decaying`. */
export type WindowOptions =
  | { readonly kind: 'count'; readonly size: number }
  | { readonly kind: 'time'; readonly durationMs: number }
  | { readonly kind: 'consecutive'; readonly failures: number }
  | { readonly kind: 'decaying'; readonly failures: number };

/** The last `size` calls, 1 to 1,000,000. */
export function count(size: number): WindowOptions {
  return Object.freeze({ kind: 'count', size: checkWhole(size, 'count', 1, 1_000_000) });
}

/** The calls that finished within the last `duration`, in steps of a tenth of it. */
export function time(duration: Duration): WindowOptions {
  return Object.freeze({ kind: 'time', durationMs: toMs(duration, 'time') });
}

/** Opens after so many failures in a row; a success starts again from 0. */
export function consecutive(failures: number): WindowOptions {
  return Object.freeze({ kind: 'consecutive', failures: checkWhole(failures, 'consecutive', 1) });
}

/** Opens when the failure count reaches `failures`: one up with each failure, one down with each success. */
export function decaying(failures: number): WindowOptions {
  return Object.freeze({ kind: 'decaying', failures: checkWhole(failures, 'decaying', 1) });
}

/** Why a circuit opened by itself while it was closed. */
export type TripReason = 'failure_rate' | 'slow_rate' | 'failures_in_a_row' | 'failure_count';

export type Thresholds = { failureRate: number; slowRate: number; minCalls: number };

export interface Window {
  readonly calls: number;
  readonly failures: number;
  readonly slows: number;
  /** O(1), amortised for `time`. Returns the reason to open, if there is one now. */
  record(failed: boolean, slow: boolean, nowMs: number): TripReason | null;
  clear(): void;
  /** Plain JSON, for `load` of a window of the same kind and size. */
  save(nowMs: number): unknown;
  load(saved: unknown, nowMs: number): void;
}

export function windowOf(options: WindowOptions, thresholds: Thresholds): Window {
  switch (options.kind) {
    case 'count':
      return new CountWindow(options.size, thresholds);
    case 'time':
      return new TimeWindow(options.durationMs, thresholds);
    case 'consecutive':
      return new Tally(options.failures, 'failures_in_a_row', () => 0);
    case 'decaying':
      return new Tally(options.failures, 'failure_count', (failures) => Math.max(0, failures - 1));
  }
}

function trips(limits: Thresholds, calls: number, failures: number, slows: number): TripReason | null {
  if (calls < limits.minCalls) return null;
  // Divided, since 0.07 * 100 is more than 7.
  if (failures > 0 && failures / calls >= limits.failureRate) return 'failure_rate';
  return slows > 0 && slows / calls >= limits.slowRate ? 'slow_rate' : null;
}

const FAILED = 1;
const SLOW = 2;

/** A ring of the last calls with running sums: a call costs the same whatever the size. */
class CountWindow implements Window {
  calls = 0;
  failures = 0;
  slows = 0;
  readonly #ring: Uint8Array;
  readonly #thresholds: Thresholds;
  #at = 0;

  constructor(size: number, thresholds: Thresholds) {
    this.#ring = new Uint8Array(size);
    this.#thresholds = thresholds;
  }

  record(failed: boolean, slow: boolean): TripReason | null {
    if (!failed && !slow && this.failures === 0 && this.slows === 0) {
      this.#pushGood();
      return null;
    }
    this.#push((failed ? FAILED : 0) | (slow ? SLOW : 0));
    return trips(this.#thresholds, this.calls, this.failures, this.slows);
  }

  /** All is well and was: the marks in the window are all 0. */
  #pushGood(): void {
    const { length } = this.#ring;
    if (this.calls < length) {
      this.calls++;
      this.#ring[this.#at] = 0;
    }
    this.#at = this.#at + 1 === length ? 0 : this.#at + 1;
  }

  #push(mark: number): void {
    const ring = this.#ring;
    const at = this.#at;
    if (this.calls === ring.length) {
      const oldest = ring[at]!;
      this.failures -= oldest & FAILED;
      this.slows -= (oldest & SLOW) >> 1;
    } else {
      this.calls++;
    }
    ring[at] = mark;
    this.failures += mark & FAILED;
    this.slows += (mark & SLOW) >> 1;
    this.#at = at + 1 === ring.length ? 0 : at + 1;
  }

  clear(): void {
    this.calls = this.failures = this.slows = this.#at = 0;
  }

  save(): unknown {
    const { length } = this.#ring;
    const oldest = this.calls === length ? this.#at : 0;
    let marks = '';
    for (let i = 0; i < this.calls; i++) marks += this.#ring[(oldest + i) % length];
    return { kind: 'count', marks };
  }

  load(saved: unknown): void {
    this.clear();
    const { kind, marks } = (saved ?? {}) as { kind?: unknown; marks?: unknown };
    if (kind !== 'count' || typeof marks !== 'string' || !/^[0-3]*$/.test(marks)) return;
    for (const mark of marks.slice(-this.#ring.length)) this.#push(Number(mark));
  }
}

const BUCKETS = 10;

/** Sums per tenth of the duration. What is too old leaves with the first call after it, however long that took. */
class TimeWindow implements Window {
  calls = 0;
  failures = 0;
  slows = 0;
  readonly #bucketMs: number;
  readonly #thresholds: Thresholds;
  /** Calls, failures and slow calls, bucket by bucket. */
  readonly #sums = new Float64Array(BUCKETS * 3);
  /** The tenth of the duration that `nowMs` was in last, counted from the clock's 0. */
  #epoch = 0;

  constructor(durationMs: number, thresholds: Thresholds) {
    this.#bucketMs = durationMs / BUCKETS;
    this.#thresholds = thresholds;
  }

  record(failed: boolean, slow: boolean, nowMs: number): TripReason | null {
    this.#moveTo(nowMs);
    this.#add(this.#epoch, 1, failed ? 1 : 0, slow ? 1 : 0);
    return trips(this.#thresholds, this.calls, this.failures, this.slows);
  }

  #moveTo(nowMs: number): void {
    const epoch = Math.floor(nowMs / this.#bucketMs);
    // A clock that went back adds to the bucket that is current.
    if (epoch <= this.#epoch) return;
    if (epoch - this.#epoch >= BUCKETS) this.clear();
    else for (let old = this.#epoch + 1; old <= epoch; old++) this.#forget(old % BUCKETS);
    this.#epoch = epoch;
  }

  #add(epoch: number, calls: number, failures: number, slows: number): void {
    const at = (epoch % BUCKETS) * 3;
    this.#sums[at]! += calls;
    this.#sums[at + 1]! += failures;
    this.#sums[at + 2]! += slows;
    this.calls += calls;
    this.failures += failures;
    this.slows += slows;
  }

  #forget(bucket: number): void {
    const at = bucket * 3;
    this.calls -= this.#sums[at]!;
    this.failures -= this.#sums[at + 1]!;
    this.slows -= this.#sums[at + 2]!;
    this.#sums.fill(0, at, at + 3);
  }

  clear(): void {
    this.#sums.fill(0);
    this.calls = this.failures = this.slows = 0;
  }

  save(nowMs: number): unknown {
    this.#moveTo(nowMs);
    const newestFirst = Array.from({ length: BUCKETS }, (_, age) => {
      const at = ((this.#epoch - age + BUCKETS) % BUCKETS) * 3;
      return [...this.#sums.subarray(at, at + 3)];
    });
    return { kind: 'time', newestFirst };
  }

  load(saved: unknown, nowMs: number): void {
    this.clear();
    this.#epoch = Math.floor(nowMs / this.#bucketMs);
    const { kind, newestFirst } = (saved ?? {}) as { kind?: unknown; newestFirst?: unknown };
    if (kind !== 'time' || !Array.isArray(newestFirst)) return;
    for (const [age, sums] of newestFirst.slice(0, BUCKETS).entries()) {
      if (!Array.isArray(sums) || !sums.every((sum) => Number.isInteger(sum) && sum >= 0)) continue;
      const [calls = 0, failures = 0, slows = 0] = sums as number[];
      // One turn of the ring ahead is the same bucket, and never below 0.
      this.#add(this.#epoch - age + BUCKETS, calls, failures, slows);
    }
  }
}

/** One number of failures, and what a success makes of it. */
class Tally implements Window {
  calls = 0;
  failures = 0;
  readonly slows = 0;
  readonly #max: number;
  readonly #reason: TripReason;
  readonly #afterSuccess: (failures: number) => number;

  constructor(max: number, reason: TripReason, afterSuccess: (failures: number) => number) {
    this.#max = max;
    this.#reason = reason;
    this.#afterSuccess = afterSuccess;
  }

  record(failed: boolean): TripReason | null {
    this.calls++;
    this.failures = failed ? this.failures + 1 : this.#afterSuccess(this.failures);
    return this.failures >= this.#max ? this.#reason : null;
  }

  clear(): void {
    this.calls = this.failures = 0;
  }

  save(): unknown {
    return { kind: 'tally', failures: this.failures };
  }

  load(saved: unknown): void {
    this.clear();
    const { kind, failures } = (saved ?? {}) as { kind?: unknown; failures?: unknown };
    if (kind !== 'tally' || !Number.isInteger(failures)) return;
    // Full would mean open: the next failure decides.
    this.failures = Math.max(0, Math.min(failures as number, this.#max - 1));
  }
}
