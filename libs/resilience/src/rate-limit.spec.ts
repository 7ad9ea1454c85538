import { describe, expect, it } from '@jest/globals';
import { RateLimiter, REFUSED, type RateLimitOptions } from './rate-limit.ts';
import { seeded } from './seeded.fixture.ts';

const reserveAll = (limiter: RateLimiter, now: number, calls: number) =>
  Array.from({ length: calls }, () => limiter.reserve(now));

/** When the calls of a random hour went, at whatever the limiter made them wait; some give their turn back. */
function traffic(options: RateLimitOptions, seed: number) {
  const limiter = new RateLimiter(options);
  const random = seeded(seed);
  const went: number[] = [];
  let waiting: { turn: number; cancelAt: number }[] = [];
  for (let now = 1e9; went.length < 2_000; now += random() < 0.5 ? 0 : random() * 40) {
    waiting = waiting.filter(({ turn, cancelAt }) => {
      if (turn <= now) went.push(turn);
      else if (cancelAt > now) return true;
      else limiter.giveBack(turn);
      return false;
    });
    const wait = limiter.reserve(now);
    if (wait === 0) went.push(now);
    else if (wait > 0) waiting.push({ turn: now + wait, cancelAt: now + random() * 4 * wait });
  }
  return went.sort((a, b) => a - b);
}

/** The most calls in any span, beyond what the rate earns in it. */
function biggestBurst(went: number[], ratePerMs: number): number {
  let most = 0;
  let deepest = Infinity;
  went.forEach((at, before) => {
    deepest = Math.min(deepest, before - at * ratePerMs);
    most = Math.max(most, before + 1 - at * ratePerMs - deepest);
  });
  return most;
}

describe('rate limit', () => {
  it('lets a burst go, refuses the next call, and says when a permit will be free', () => {
    const limiter = new RateLimiter({ limit: 3, per: '1s' });
    expect(reserveAll(limiter, 0, 4)).toEqual([0, 0, 0, REFUSED]);
    expect(limiter.retryAfterMs(0)).toBeCloseTo(333.33, 1);
    expect(limiter.retryAfterMs(200)).toBeCloseTo(133.33, 1);
    expect(limiter.reserve(333)).toBe(REFUSED);
    expect(limiter.reserve(334)).toBe(0);
  });

  it('does not charge a refused call', () => {
    const limiter = new RateLimiter({ limit: 1, per: '1s' });
    limiter.reserve(0);
    for (let now = 0; now < 1_000; now++) expect(limiter.reserve(now)).toBe(REFUSED);
    expect(limiter.reserve(1_000)).toBe(0);
  });

  it('spaces calls evenly with a burst of one', () => {
    const limiter = new RateLimiter({ limit: 10, per: '1s', burst: 1 });
    expect([0, 50, 100, 150, 200].map((now) => limiter.reserve(now))).toEqual([0, REFUSED, 0, REFUSED, 0]);
  });

  it('makes calls wait for their turn, in order, up to maxWait', () => {
    const limiter = new RateLimiter({ limit: 10, per: '1s', burst: 1, maxWait: '250ms' });
    expect(reserveAll(limiter, 0, 4)).toEqual([0, 100, 200, REFUSED]);
    expect(limiter.reserve(50)).toBe(250);
  });

  it('starts with a whole burst, and saves no more than one up', () => {
    const limiter = new RateLimiter({ limit: 2, per: '1s', burst: 5 });
    const went = (now: number) => reserveAll(limiter, now, 10).filter((wait) => wait === 0).length;
    expect(went(1e6)).toBe(5);
    expect(went(1e6 + 3_600_000)).toBe(5);
  });

  it('counts the burst right when limit does not divide per, late in the life of a process, too', () => {
    for (const start of [0, 12_345.678, 1e9, 1.7e12]) {
      for (const limit of [3, 7, 11, 999]) {
        const limiter = new RateLimiter({ limit, per: '1s' });
        const waits = reserveAll(limiter, start, limit + 1);
        expect(waits.filter((wait) => wait === 0)).toHaveLength(limit);
      }
    }
  });

  it('hands the turn of a cancelled call to the next one, and no earlier turn', () => {
    const limiter = new RateLimiter({ limit: 10, per: '1s', burst: 1, maxWait: '1s' });
    expect(reserveAll(limiter, 0, 4)).toEqual([0, 100, 200, 300]);
    limiter.giveBack(200);
    limiter.giveBack(100);
    expect(reserveAll(limiter, 50, 3)).toEqual([50, 150, 350]);
  });

  it('forgets a turn given back once its time has passed', () => {
    const limiter = new RateLimiter({ limit: 10, per: '1s', burst: 1, maxWait: '1s' });
    expect(reserveAll(limiter, 0, 3)).toEqual([0, 100, 200]);
    limiter.giveBack(100);
    expect(limiter.reserve(150)).toBe(150);
  });

  it('is not stuck when the clock steps back', () => {
    const limiter = new RateLimiter({ limit: 2, per: '1s', maxWait: '1s' });
    reserveAll(limiter, 3_600_000, 10);
    expect(limiter.reserve(0)).toBe(REFUSED);
    expect(limiter.reserve(1_000)).toBeGreaterThanOrEqual(0);
  });

  it('makes no call wait for a turn that a clock that stepped back has put hours ahead', () => {
    const limiter = new RateLimiter({ limit: 10, per: '1s', burst: 1, maxWait: '1s' });
    expect(reserveAll(limiter, 3_600_000, 2)).toEqual([0, 100]);
    limiter.giveBack(3_600_100);
    for (let now = 0; now < 2_000; now += 50) expect(limiter.reserve(now)).toBeLessThanOrEqual(1_000);
  });

  it('lets at most burst + t · limit / per calls go in any span of t, whatever comes, waits or is cancelled', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const options = { limit: 3 + (seed % 5), per: 100, burst: 1 + (seed % 4), maxWait: seed % 3 ? 50 : 0 };
      const burst = biggestBurst(traffic(options, seed), options.limit / options.per);
      expect(burst).toBeLessThanOrEqual(options.burst + 1e-3);
      expect(burst).toBeGreaterThan(options.burst - 1); // The negative control: traffic does press on the limit.
    }
  });

  it('refuses options that make no sense and quotes them', () => {
    for (const bad of [0, -1, 1.5, NaN, Infinity]) {
      expect(() => new RateLimiter({ limit: bad, per: '1s' })).toThrow(
        new RangeError(`limit must be a whole number from 1, got ${bad}`),
      );
      expect(() => new RateLimiter({ limit: 1, per: '1s', burst: bad })).toThrow(
        new RangeError(`burst must be a whole number from 1, got ${bad}`),
      );
    }
    expect(() => new RateLimiter({ limit: 1, per: 0 })).toThrow('per must be a duration above 0');
    expect(() => new RateLimiter({ limit: 1, per: 1, maxWait: -1 })).toThrow(
      'maxWait must be a duration from 0',
    );
  });
});
