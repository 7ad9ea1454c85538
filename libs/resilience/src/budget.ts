import { check, isFiniteNumber } from './check.ts';

export type BudgetOptions = {
  /** Retries that every original call earns, in [0, 1]. Default 0.2: one retry for five calls. */
  ratio?: number;
  /** Retries earned per second without any call, at least 0, so that a quiet client can retry, too. Default 10. */
  perSecond?: number;
};

/** What the bucket holds at most, in seconds of `perSecond`: longer calm earns no bigger burst. */
const CAP_SECONDS = 10;
const SMALLEST_CAP = 10;
/** Ten tenths make one token, though in floating point they do not. */
const ONE = 1 - 1e-9;

/**
 * How many retries all its callers together may make: a token bucket that calls and time fill and retries empty, so
 * that an outage costs the upstream a fifth more calls, not four times as many, however deep retries are nested. After
 * Finagle's RetryBudget (https://finagle.github.io/blog/2016/02/08/retry-budgets), but with a cap in place of tokens
 * that expire one by one: that needs no clock per call.
 *
 * Starts with one second's worth (`perSecond`, at least one token unless it is 0) and holds 10 s' worth, at least 10.
 * May be shared by pipelines that call the same upstream.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #perMs: number;
  readonly #cap: number;
  readonly #clock: { now(): number };
  #tokens: number;
  #calls = 0;
  #creditedAt: number;

  /**
   * @param clock milliseconds that only grow; default `performance`
   * @throws RangeError when ratio is not in [0, 1] or perSecond is below 0
   */
  constructor({ ratio = 0.2, perSecond = 10 }: BudgetOptions = {}, clock: { now(): number } = performance) {
    check(isFiniteNumber(ratio) && ratio >= 0 && ratio <= 1, 'ratio', 'in [0, 1]', ratio);
    check(isFiniteNumber(perSecond) && perSecond >= 0, 'perSecond', 'a finite number from 0', perSecond);
    this.#ratio = ratio;
    this.#perMs = perSecond / 1_000;
    this.#cap = Math.max(SMALLEST_CAP, CAP_SECONDS * perSecond);
    this.#clock = clock;
    this.#tokens = perSecond > 0 ? Math.max(1, perSecond) : 0;
    this.#creditedAt = clock.now();
  }

  /** An original call was made. Only counts: every call pays for this, retries alone pay for the rest. */
  deposit(): void {
    this.#calls++;
  }

  /** Takes one token for one retry, or answers false: the retry must not be made. */
  tryWithdraw(): boolean {
    this.#credit();
    if (this.#tokens < ONE) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }

  /** Retries that could be made now. Not always whole. */
  get balance(): number {
    this.#credit();
    return this.#tokens;
  }

  #credit(): void {
    const now = this.#clock.now();
    // A clock that stepped back earns nothing and costs nothing; earning goes on from where it is now.
    const elapsed = Math.max(0, now - this.#creditedAt);
    this.#creditedAt = now;
    const earned = this.#calls * this.#ratio + elapsed * this.#perMs;
    this.#calls = 0;
    this.#tokens = Math.min(this.#cap, this.#tokens + earned);
  }
}
