import { describe, expect, it } from '@jest/globals';
import { MAX_DURATION_MS, toMs, type Duration } from './duration.ts';

describe('duration', () => {
  it.each<[Duration, number]>([
    [250, 250],
    [0.5, 0.5],
    ['250ms', 250],
    ['2s', 2_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    [MAX_DURATION_MS, MAX_DURATION_MS],
  ])('reads %p as %d ms', (value, ms) => {
    expect(toMs(value, 'timeout')).toBe(ms);
  });

  it('refuses what is no duration, names the option and quotes the value', () => {
    expect(() => toMs('2 sec' as Duration, 'timeout')).toThrow(
      new RangeError(`timeout must be a duration above 0 such as 250, '250ms' or '2s', got "2 sec"`),
    );
  });

  it.each([
    NaN,
    Infinity,
    -Infinity,
    -1,
    '-2s',
    '1e3s',
    '2',
    '',
    's',
    ' 2s',
    '2S',
    '2d',
    null,
    undefined,
    {},
    2n,
  ])('refuses %p', (value) => {
    expect(() => toMs(value as Duration, 'timeout')).toThrow(RangeError);
    expect(() => toMs(value as Duration, 'timeout', { allowZero: true })).toThrow(RangeError);
  });

  it('takes 0 only where 0 makes sense', () => {
    expect(() => toMs(0, 'timeout')).toThrow('timeout must be a duration above 0');
    expect(() => toMs('0s', 'timeout')).toThrow('got "0s"');
    expect(toMs(0, 'maxWait', { allowZero: true })).toBe(0);
    expect(toMs('0ms', 'maxWait', { allowZero: true })).toBe(0);
  });

  it('refuses what no timer can wait for, since it would fire at once', () => {
    expect(() => toMs(MAX_DURATION_MS + 1, 'openFor')).toThrow(
      'openFor must be at most 2147483647 ms (24.8 days), the longest timer of the platform, got 2147483648',
    );
    expect(() => toMs('600h', 'openFor')).toThrow('got "600h"');
  });
});
