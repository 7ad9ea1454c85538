import { check } from './check.ts';
import { toMs, type Duration } from './duration.ts';

export type RateLimitOptions = {
  /** Calls per `per`, a whole number from 1. */
  limit: number;
  /** The span that `limit` is counted over. Above 0. */
  per: Duration;
  /** Calls that may go at once after a calm, a whole number from 1. Default `limit`; 1 spaces calls evenly. */
  burst?: number;
  /** How long a call may wait for its turn. Default 0: it goes at once or is refused. */
  maxWait?: Duration;
};

/** What `reserve` answers when there is no permit within `maxWait`. */
export const REFUSED = -1;

/** Sums of `per / limit` are not exact: a wait of less than a microsecond is none. */
const ROUNDING_MS = 1e-3;

/**
 * Permits at a steady rate with bursts: in any span of t ms at most burst + t · limit / per calls go. The generic cell
 * rate algorithm (virtual scheduling, ITU-T I.371, https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm): its
 * state is one number, when the next call would come if all came evenly, so neither a timer nor a queue is needed.
 */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #maxWaitMs: number;
  /** The theoretical arrival time of the next call. */
  #nextAt = -Infinity;
  /** Turns given back, ascending. */
  #free: number[] = [];

  /** @throws RangeError that quotes the option, see `RateLimitOptions` */
  constructor({ limit, per, burst = limit, maxWait = 0 }: RateLimitOptions) {
    check(Number.isInteger(limit) && limit >= 1, 'limit', 'a whole number from 1', limit);
    check(Number.isInteger(burst) && burst >= 1, 'burst', 'a whole number from 1', burst);
    this.#intervalMs = toMs(per, 'per') / limit;
    this.#toleranceMs = this.#intervalMs * (burst - 1);
    this.#maxWaitMs = toMs(maxWait, 'maxWait', { allowZero: true });
  }

  /**
   * Takes the next permit.
   *
   * @returns 0: go now. Above 0: the permit is taken, go in that many ms, or `giveBack` it. `REFUSED`: nothing is taken.
   */
  reserve(nowMs: number): number {
    // No honest state is further ahead than this. After a clock stepped back it would refuse all until it caught up.
    const furthest = nowMs + this.#toleranceMs + this.#maxWaitMs + this.#intervalMs;
    const nextAt = Math.min(Math.max(this.#nextAt, nowMs), furthest);
    this.#nextAt = nextAt;
    const wait = nextAt - this.#toleranceMs - nowMs;
    if (wait > ROUNDING_MS && this.#free.length > 0) {
      const turn = this.#freeTurn(nowMs);
      if (turn !== undefined) return turn - nowMs;
    }
    if (wait > this.#maxWaitMs + ROUNDING_MS) return REFUSED;
    this.#nextAt = nextAt + this.#intervalMs;
    return wait > ROUNDING_MS ? wait : 0;
  }

  /**
   * A call that was to wait was cancelled: the next one takes its turn. Its turn and no earlier one, or those behind it
   * would come in a bunch.
   *
   * @param turnMs when the call would have gone: the time it reserved at plus what `reserve` answered
   */
  giveBack(turnMs: number): void {
    const last = this.#free.at(-1);
    this.#free.push(turnMs);
    if (last !== undefined && last > turnMs) this.#free.sort((a, b) => a - b);
  }

  /** Milliseconds until a permit is free, 0 when one is. For the error of a refused call; takes nothing. */
  retryAfterMs(nowMs: number): number {
    const wait = this.#nextAt - this.#toleranceMs - nowMs;
    return wait > ROUNDING_MS ? wait : 0;
  }

  /** The earliest turn given back that has not passed and is near enough. */
  #freeTurn(nowMs: number): number | undefined {
    while (this.#free.length > 0 && this.#free[0]! < nowMs) this.#free.shift();
    const turn = this.#free[0];
    if (turn === undefined || turn - nowMs > this.#maxWaitMs + ROUNDING_MS) return undefined;
    this.#free.shift();
    return turn;
  }
}
