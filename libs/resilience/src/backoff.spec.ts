import { describe, expect, it } from '@jest/globals';
import { checkJitter, constant, exponential, jittered, type Jitter } from './backoff.ts';
import { seeded } from './seeded.fixture.ts';

describe('backoff', () => {
  it('doubles from base up to max', () => {
    const backoff = exponential({ base: '200ms', max: '5s' });
    expect([1, 2, 3, 4, 5, 6, 7].map(backoff)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('grows by another factor when told so', () => {
    expect([1, 2, 3].map(exponential({ base: 100, max: 1_000, factor: 3 }))).toEqual([100, 300, 900]);
    expect([1, 2, 3].map(exponential({ base: 100, max: 1_000, factor: 1 }))).toEqual([100, 100, 100]);
  });

  it('stays at max for ever, however many retries there were', () => {
    const backoff = exponential({ base: '1ms', max: '1h', factor: 10 });
    for (const retry of [1e3, 1e9, Number.MAX_SAFE_INTEGER]) expect(backoff(retry)).toBe(3_600_000);
  });

  it('waits the same time with constant, and not at all with constant(0)', () => {
    expect([1, 2, 1_000].map(constant('1s'))).toEqual([1_000, 1_000, 1_000]);
    expect(constant(0)(1)).toBe(0);
  });

  it('refuses options that make no sense and quotes them', () => {
    expect(() => exponential({ base: 0, max: 1 })).toThrow('base must be a duration above 0');
    expect(() => exponential({ base: 1, max: Infinity })).toThrow('got Infinity');
    expect(() => exponential({ base: '2s', max: '1s' })).toThrow(
      new RangeError('max must be at least base (2000 ms), got "1s"'),
    );
    for (const factor of [0.5, 0, -2, NaN, Infinity]) {
      const message = `factor must be a finite number from 1, got ${factor}`;
      expect(() => exponential({ base: 1, max: 2, factor })).toThrow(new RangeError(message));
    }
    expect(() => constant(-1)).toThrow('wait must be a duration from 0');
  });
});

describe('jitter', () => {
  const lowest = () => 0;
  const highest = () => 1 - Number.EPSILON;

  it('takes full jitter from nothing up to the bound', () => {
    expect(jittered(1_000, 'full', lowest)).toBe(0);
    expect(jittered(1_000, 'full', () => 0.5)).toBe(500);
    expect(jittered(1_000, 'full', highest)).toBeCloseTo(1_000);
  });

  it('takes equal jitter from half the bound up to the bound', () => {
    expect(jittered(1_000, 'equal', lowest)).toBe(500);
    expect(jittered(1_000, 'equal', () => 0.5)).toBe(750);
    expect(jittered(1_000, 'equal', highest)).toBeCloseTo(1_000);
  });

  it('takes the bound itself with none, and asks for no chance', () => {
    const random = () => {
      throw new Error('not to be asked');
    };
    expect(jittered(1_000, 'none', random)).toBe(1_000);
  });

  it('spreads clients that failed together; without it they come back in one instant', () => {
    const busiest = (jitter: Jitter) => {
      const random = seeded(1);
      const perTenth = new Map<number, number>();
      for (let client = 0; client < 1_000; client++) {
        const tenth = Math.floor(jittered(1_000, jitter, random) / 100);
        perTenth.set(tenth, (perTenth.get(tenth) ?? 0) + 1);
      }
      return Math.max(...perTenth.values());
    };
    expect(busiest('full')).toBeLessThan(150);
    expect(busiest('equal')).toBeLessThan(250);
    expect(busiest('none')).toBe(1_000);
  });

  it('refuses a misspelt jitter, which would be none', () => {
    expect(checkJitter('equal')).toBe('equal');
    expect(() => checkJitter('ful' as Jitter)).toThrow(
      new RangeError(`jitter must be 'full', 'equal' or 'none', got "ful"`),
    );
  });
});
