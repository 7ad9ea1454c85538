import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { count, time, windowOf, type WindowOptions } from './window.ts';
import { fail, succeed } from './work.fixture.ts';

const REAL = { Uint8Array, Float64Array };

/**
 * Typed arrays that count how many of their elements are read and written, in place of the runtime's: an honest measure of
 * what a call costs, which time on a busy machine is not.
 */
function countTouches(): { touches: number } {
  const tally = { touches: 0 };
  const counting = <T extends Uint8Array | Float64Array>(type: { new (size: number): T }) =>
    function (size: number) {
      return new Proxy(new type(size), {
        get(target, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) tally.touches++;
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            const [, from = 0, to = size] = args as number[];
            tally.touches += key === 'fill' ? to - from : size;
            return value.apply(target, args) as unknown;
          };
        },
        set(target, key, value) {
          tally.touches++;
          return Reflect.set(target, key, value, target);
        },
      });
    };
  Object.assign(globalThis, {
    Uint8Array: counting(REAL.Uint8Array),
    Float64Array: counting(REAL.Float64Array),
  });
  return tally;
}

afterEach(() => {
  Object.assign(globalThis, REAL);
  jest.restoreAllMocks();
});

const RATES = { failureRate: 1, slowRate: 1, minCalls: 1 };

/** The most elements that one of the next calls touches, with so many in the window. */
function dearest(tally: { touches: number }, options: WindowOptions, calls: number, everyMs: number): number {
  const window = windowOf(options, RATES);
  let nowMs = 0;
  const record = (i: number) => window.record(i % 3 === 0, i % 5 === 0, (nowMs += everyMs));
  for (let i = 0; i < calls; i++) record(i);
  expect(window.calls).toBeGreaterThan(calls * 0.85);
  let most = 0;
  for (let i = 0; i < 1_000; i++) {
    const before = tally.touches;
    record(i);
    most = Math.max(most, tally.touches - before);
  }
  return most;
}

describe('traps 29: time', () => {
  it('29: a time window does not count hour-old failures after idling', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).breaker({ window: time('10s'), minCalls: 4 });
    for (let i = 0; i < 3; i++) await billing.outcome(fail);
    await clock.advance(3_600_000);
    await billing.outcome(fail);
    for (let i = 0; i < 2; i++) await billing.outcome(succeed);
    expect(billing.circuit.state).toBe('closed');
    // The negative control: so many at one time do open it.
    for (let i = 0; i < 3; i++) await billing.outcome(fail);
    expect(billing.circuit.state).toBe('open');
  });

  it('29: nor those that are a little older than it, however the calls are spread', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).breaker({ window: time('10s'), minCalls: 11 });
    for (let i = 0; i < 100; i++) {
      await billing.outcome(fail);
      await clock.advance(1_000);
    }
    expect(billing.circuit.state).toBe('closed');
  });

  it('29: the wall clock is not looked at', async () => {
    const wall = jest.spyOn(Date, 'now');
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .deadline('9s')
      .retry({ attempts: 2, idempotent: true })
      .breaker({ window: time('10s'), minCalls: 1, slowAfter: '1s' })
      .bulkhead({ max: 1, queue: 1, queueTimeout: '1s' })
      .rateLimit({ limit: 1, per: '1s', maxWait: '1s' })
      .timeout('1s');
    for (let i = 0; i < 4; i++) void billing.outcome(fail);
    await clock.advance(60_000);
    expect(billing.counts().failed + billing.counts().rejected).toBe(4);
    expect(wall).not.toHaveBeenCalled();
  });
});

describe('traps 31: what a failure costs', () => {
  it('31: a failure costs the same with 100 and 100,000 calls in a count window', () => {
    const tally = countTouches();
    const [small, big] = [100, 100_000].map((size) => dearest(tally, count(size), size, 1)) as [
      number,
      number,
    ];
    expect(big).toBe(small);
    expect(big).toBeLessThanOrEqual(2); // The oldest call is read, the newest is written.
  });

  it('31: and in a time window', () => {
    const tally = countTouches();
    const [small, big] = [100, 100_000].map((calls) =>
      dearest(tally, time('10s'), calls, 10_000 / calls),
    ) as [number, number];
    expect(big).toBeLessThanOrEqual(small);
    expect(big).toBeLessThanOrEqual(12);
  });

  it('31: nor more after an hour without calls', () => {
    const tally = countTouches();
    const window = windowOf(time('1s'), RATES);
    window.record(true, false, 1_000);
    const before = tally.touches;
    window.record(true, false, 3_601_000);
    expect(tally.touches - before).toBeLessThanOrEqual(40);
  });

  it('31: and through a pipeline that times its calls, which sorts nothing', async () => {
    const tally = countTouches();
    const sorts = [jest.spyOn(Array.prototype, 'sort'), jest.spyOn(Array.prototype, 'toSorted')];
    const clock = new VirtualClock();
    const touches = async (size: number) => {
      const billing = pipeline({ name: 'billing', clock }).breaker({
        window: count(size),
        slowAfter: '1s',
      });
      for (let i = 0; i < size; i++) await billing.outcome(succeed);
      const before = tally.touches;
      for (let i = 0; i < 10; i++) await billing.outcome(fail);
      expect(billing.circuit.state).toBe('closed');
      return tally.touches - before;
    };
    expect(await touches(100_000)).toBe(await touches(100));
    for (const sort of sorts) expect(sort).not.toHaveBeenCalled();
  });
});
