import { describe, expect, it } from '@jest/globals';
import { seeded } from './seeded.fixture.ts';
import { consecutive, count, decaying, time, windowOf, type Window } from './window.ts';

const NEVER = { failureRate: 1, slowRate: 1, minCalls: 1_000_000 };
const sums = ({ calls, failures, slows }: Window) => ({ calls, failures, slows });

type Seen = { failed: boolean; slow: boolean; nowMs: number };

function sumsOf(seen: Seen[]) {
  return {
    calls: seen.length,
    failures: seen.filter(({ failed }) => failed).length,
    slows: seen.filter(({ slow }) => slow).length,
  };
}

/** A window and all that it was told, over a random while with pauses. */
function* history(window: Window, seed: number): Generator<Seen[]> {
  const random = seeded(seed);
  const seen: Seen[] = [];
  for (let i = 0, nowMs = random() * 1e6; i < 700; i++) {
    nowMs += random() < 0.01 ? random() * 30_000 : random() * 200;
    const call = { failed: random() < 0.4, slow: random() < 0.3, nowMs };
    seen.push(call);
    window.record(call.failed, call.slow, nowMs);
    yield seen;
  }
}

describe('count window', () => {
  it.each([1, 2, 7, 100, 600])('has the sums of the last %d calls', (size) => {
    const window = windowOf(count(size), NEVER);
    for (const seen of history(window, size)) expect(sums(window)).toEqual(sumsOf(seen.slice(-size)));
  });

  it('is saved and loaded with its order, whatever its size is then', () => {
    const [one, same, smaller] = [7, 7, 3].map((size) => windowOf(count(size), NEVER)) as [
      Window,
      Window,
      Window,
    ];
    for (const seen of history(one, 1)) {
      same.load(one.save(0), 0);
      smaller.load(one.save(0), 0);
      expect(sums(same)).toEqual(sums(one));
      expect(sums(smaller)).toEqual(sumsOf(seen.slice(-3)));
      if (seen.length > 30) return;
    }
  });
});

describe('time window', () => {
  it('has the sums of the tenths of its duration that are not over', () => {
    const bucketMs = 1_000;
    const window = windowOf(time('10s'), NEVER);
    for (const seen of history(window, 3)) {
      const epoch = Math.floor(seen.at(-1)!.nowMs / bucketMs);
      const recent = seen.filter(({ nowMs }) => Math.floor(nowMs / bucketMs) > epoch - 10);
      expect(sums(window)).toEqual(sumsOf(recent));
    }
  });

  it('counts a call for at least nine tenths of its duration, and for no longer than all of it', () => {
    for (let atMs = 0; atMs < 10_000; atMs += 250) {
      const window = windowOf(time('10s'), NEVER);
      window.record(true, false, 50_000 + atMs);
      window.record(false, false, 50_000 + atMs + 9_000);
      expect(window.failures).toBe(1);
      window.record(false, false, 50_000 + atMs + 10_000);
      expect(window.failures).toBe(0);
    }
  });

  it('adds to what is current when the clock goes back', () => {
    const window = windowOf(time('10s'), NEVER);
    window.record(true, false, 100_000);
    window.record(true, true, 5_000);
    expect(sums(window)).toEqual({ calls: 2, failures: 2, slows: 1 });
    window.record(false, false, 101_000);
    expect(window.calls).toBe(3);
  });

  it('is saved by age and loaded by a process whose clock has another origin', () => {
    const one = windowOf(time('10s'), NEVER);
    for (let i = 0; i < 8; i++) one.record(true, i % 2 === 0, 1_000_000 + i * 1_000);
    const other = windowOf(time('10s'), NEVER);
    other.load(JSON.parse(JSON.stringify(one.save(1_007_000))), 3);
    expect(sums(other)).toEqual(sums(one));
    other.record(false, false, 14_500);
    expect(other.failures).toBeLessThan(8);
    other.record(false, false, 30_000);
    expect(sums(other)).toEqual({ calls: 1, failures: 0, slows: 0 });
  });

  it('saves nothing that is over', () => {
    const window = windowOf(time('10s'), NEVER);
    window.record(true, true, 1_000);
    const other = windowOf(time('10s'), NEVER);
    other.load(window.save(3_600_000), 0);
    expect(other.calls).toBe(0);
  });
});

describe('windows of failures alone', () => {
  it('count failures in a row', () => {
    const window = windowOf(consecutive(3), NEVER);
    const reasons = [true, true, false, true, true, true].map((failed) => window.record(failed, false, 0));
    expect(reasons).toEqual([null, null, null, null, null, 'failures_in_a_row']);
  });

  it('count failures up and successes down, never below none', () => {
    const window = windowOf(decaying(3), NEVER);
    const failures = [false, true, true, false, false, false, true].map((failed) => {
      window.record(failed, false, 0);
      return window.failures;
    });
    expect(failures).toEqual([0, 1, 2, 1, 0, 0, 1]);
  });

  it('are never loaded full: that would be open', () => {
    for (const options of [consecutive(3), decaying(3)]) {
      const window = windowOf(options, NEVER);
      window.load({ kind: 'tally', failures: 99 }, 0);
      expect(window.failures).toBe(2);
    }
  });
});

describe('windows', () => {
  it('are empty after a clear', () => {
    for (const options of [count(5), time('10s'), consecutive(5), decaying(5)]) {
      const window = windowOf(options, NEVER);
      for (let i = 0; i < 9; i++) window.record(true, true, 1_000);
      window.clear();
      expect(sums(window)).toEqual({ calls: 0, failures: 0, slows: 0 });
      window.record(true, false, 1_000);
      expect(window.failures).toBe(1);
    }
  });

  it.each([null, 5, 'text', {}, { kind: 'other' }, { kind: 'time', newestFirst: [[1, 'x', 2], 5, [-1]] }])(
    'are empty after loading %j',
    (saved) => {
      for (const options of [count(5), time('10s'), consecutive(5)]) {
        const window = windowOf(options, NEVER);
        window.record(true, true, 0);
        window.load(saved, 0);
        expect(window.failures).toBe(0);
      }
    },
  );

  it('refuse sizes that make no sense', () => {
    expect(() => count(0)).toThrow('count must be a whole number from 1 to 1000000, got 0');
    expect(() => count(1_000_001)).toThrow(RangeError);
    expect(() => time(0)).toThrow('time must be a duration above 0');
    expect(() => consecutive(1.5)).toThrow('consecutive must be a whole number from 1, got 1.5');
    expect(() => decaying(NaN)).toThrow('decaying must be a whole number from 1, got NaN');
  });
});
