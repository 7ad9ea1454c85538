import { describe, expect, it } from '@jest/globals';
import { adaptive, AdaptiveLimit, type AdaptiveOptions } from './adaptive.ts';
import { seeded } from './seeded.fixture.ts';

type Upstream = {
  /** Calls that it serves at full speed; more share that speed. May change with the number of calls it has had. */
  capacity: number | ((calls: number) => number);
  /** Latency of an uncrowded call. */
  ms?: (calls: number) => number;
  /** Callers at a time; by default there are always more than are let in. */
  demand?: number;
  /** Share of calls that fail. */
  failing?: number;
};

const CALLS = 20_000;

/** The limit after every call to a simulated upstream; latencies are log-normal with σ = 0.3. */
function simulate(options: AdaptiveOptions, upstream: Upstream, seed = 1, calls = CALLS): number[] {
  const { capacity, ms = () => 100, demand = Infinity, failing = 0 } = upstream;
  const random = seeded(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const limit = new AdaptiveLimit(adaptive(options));
  const running: { endsAt: number; tookMs: number }[] = [];
  const limits: number[] = [];
  for (let now = 0, done = 0; done < calls; done++) {
    while (running.length < Math.min(demand, limit.limit)) {
      const places = typeof capacity === 'number' ? capacity : capacity(done);
      const tookMs = ms(done) * Math.max(1, (running.length + 1) / places) * Math.exp(0.3 * normal());
      running.push({ endsAt: now + tookMs, tookMs });
    }
    const next = running.reduce((first, call) => (call.endsAt < first.endsAt ? call : first));
    now = next.endsAt;
    limit.sample(next.tookMs, running.length, random() < failing);
    running.splice(running.indexOf(next), 1);
    limits.push(limit.limit);
  }
  return limits;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const settled = (limits: number[]) => median(limits.slice(-CALLS / 4));

function expectAround(limit: number, capacity: number): void {
  expect(limit).toBeGreaterThanOrEqual(capacity);
  expect(limit).toBeLessThan(2 * capacity);
}

describe('adaptive limit', () => {
  it.each([5, 10, 25, 50, 100])('settles between C and 2 C of an upstream that takes C = %d', (capacity) => {
    for (const initial of [1, 20, 200]) {
      expectAround(settled(simulate({ initial }, { capacity }, capacity + initial)), capacity);
    }
  });

  it('follows an upstream that loses half of its capacity, and one that gets it back', () => {
    const limits = simulate(
      {},
      { capacity: (calls) => (calls > 8_000 && calls < 16_000 ? 25 : 50) },
      2,
      24_000,
    );
    expectAround(median(limits.slice(6_000, 8_000)), 50);
    expectAround(median(limits.slice(10_000, 16_000)), 25);
    expectAround(median(limits.slice(22_000)), 50);
  });

  it('does not walk off under lasting load, though crowded is all that it sees', () => {
    for (const seed of [1, 2]) expectAround(settled(simulate({}, { capacity: 50 }, seed, 100_000)), 50);
  });

  it('grows to max without the gradient: the negative control', () => {
    expect(settled(simulate({ tolerance: 1_000 }, { capacity: 25 }))).toBe(200);
  });

  it('learns that an upstream has become slower, not smaller', () => {
    const limits = simulate({}, { capacity: 50, ms: (calls) => (calls < 6_000 ? 100 : 300) });
    expectAround(settled(limits), 50);
  });

  it('never leaves [min, max]', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const [min, max] = [1 + (seed % 7), 10 + 3 * seed];
      const capacity = (calls: number) => 1 + (((calls >> 8) * seed) % 90);
      const failing = seed % 3 === 0 ? 0.3 : 0;
      const limits = simulate({ min, max }, { capacity, failing }, seed, 5_000);
      expect(Math.min(...limits)).toBeGreaterThanOrEqual(min);
      expect(Math.max(...limits)).toBeLessThanOrEqual(max);
      expect(limits.every(Number.isInteger)).toBe(true);
    }
  });

  it('does not grow while it is not used', () => {
    expect(settled(simulate({ initial: 40 }, { capacity: 1_000, demand: 15 }))).toBe(40);
    expect(settled(simulate({ initial: 40 }, { capacity: 1_000 }))).toBeGreaterThan(100);
  });

  it('falls to min where every call fails, halving at least once in two generations', () => {
    const limits = simulate({ initial: 128 }, { capacity: 1_000, failing: 1 });
    expect(limits[2 * 128]).toBeLessThanOrEqual(64 + 8);
    expect(settled(limits)).toBe(1);
  });

  it('hardly minds a few failures that have nothing to do with load', () => {
    expectAround(settled(simulate({}, { capacity: 50, failing: 0.02 })), 50);
  });

  it('takes no quick failure for a fast upstream, and no time-out for a slow one', () => {
    for (const [failureMs, laterMs, direction] of [
      [0.1, 100, 1],
      [60_000, 300, -1],
    ] as const) {
      const limit = new AdaptiveLimit(adaptive({ initial: 20 }));
      for (let call = 0; call < 30; call++) limit.sample(call < 27 ? failureMs : 100, 20, call < 27);
      const before = limit.limit;
      for (let call = 0; call < 150; call++) limit.sample(laterMs, limit.limit, false);
      expect(Math.sign(limit.limit - before)).toBe(direction);
    }
  });

  it('loses at most a tenth to one window of calls that hung', () => {
    const limit = new AdaptiveLimit(adaptive({ initial: 100 }));
    for (let call = 0; call < 100; call++) limit.sample(100, 100, false);
    for (let call = 0; call < 102; call++) limit.sample(100_000, 102, false);
    expect(limit.limit).toBeLessThan(100);
    expect(limit.limit).toBeGreaterThanOrEqual(90);
  });

  it('is not thrown by durations that a broken clock makes', () => {
    const limit = new AdaptiveLimit(adaptive());
    for (let call = 0; call < 1_000; call++) limit.sample([0, -5, NaN, 10][call % 4]!, limit.limit, false);
    for (let call = 0; call < 1_000; call++) limit.sample(10, limit.limit, false);
    expect(limit.limit).toBeGreaterThanOrEqual(1);
    expect(limit.limit).toBeLessThanOrEqual(200);
  });
});

describe('adaptive', () => {
  it('completes its options, and freezes them', () => {
    const options = adaptive({ queue: 5, queueTimeout: '1s' });
    expect(options).toEqual({
      kind: 'adaptive',
      min: 1,
      max: 200,
      initial: 20,
      queue: 5,
      queueTimeout: '1s',
      tolerance: 1.2,
    });
    expect(Object.isFrozen(options)).toBe(true);
    expect(adaptive({ max: 8 }).initial).toBe(8);
    expect(adaptive({ min: 30 }).initial).toBe(30);
  });

  it.each<[AdaptiveOptions, string]>([
    [{ min: 0 }, 'min must be a whole number from 1, got 0'],
    [{ min: 5, max: 4 }, 'max must be a whole number from 5, got 4'],
    [{ max: 10, initial: 11 }, 'initial must be a whole number from 1 to 10, got 11'],
    [{ queue: -1 }, 'queue must be a whole number from 0, got -1'],
    [{ queueTimeout: 0 }, 'queueTimeout must be a duration above 0'],
    [{ tolerance: 0.9 }, 'tolerance must be a finite number from 1, got 0.9'],
  ])('refuses %j', (options, message) => {
    expect(() => adaptive(options)).toThrow(RangeError);
    expect(() => adaptive(options)).toThrow(message);
  });
});
