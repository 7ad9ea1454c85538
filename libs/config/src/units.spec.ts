import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { auto, bytes, ConfigError, duration, parseConfig } from './index.ts';

const schema = z.object({
  WAIT_MS: duration('a wait', { unit: 'ms', min: 1, max: 600_000, default: '2s' }),
  KEEP_DAYS: duration('how long it is kept', { unit: 'days', default: 14 }),
  LIMIT_BYTES: bytes('a limit', { unit: 'bytes', max: 2 ** 40, default: '64KiB' }),
  CACHE_MIB: bytes('a cache', { unit: 'MiB', min: 1, default: 64 }),
  THREADS: auto('threads', { min: 1, max: 64 }),
});
const parsed = (env: Record<string, string>) => parseConfig(schema, env);
const remedyOf = (env: Record<string, string>) => {
  try {
    return parsed(env);
  } catch (error) {
    return (error as ConfigError).problems.map(({ fix }) => fix).join();
  }
};

describe('a variable with a unit', () => {
  it('has its default in the unit that its name ends in', () => {
    const defaults = { WAIT_MS: 2000, KEEP_DAYS: 14, LIMIT_BYTES: 65_536, CACHE_MIB: 64, THREADS: 'auto' };
    expect(parsed({})).toEqual(defaults);
  });

  it.each([
    ['WAIT_MS', '250', 250],
    ['WAIT_MS', '250ms', 250],
    ['WAIT_MS', '1.5s', 1500],
    // 1.1 * 1000 and 4.35 * 1000 are no whole numbers in floating point.
    ['WAIT_MS', '1.1s', 1100],
    ['WAIT_MS', '4.35s', 4350],
    ['WAIT_MS', '2m', 120_000],
    ['WAIT_MS', '2min', 120_000],
    ['WAIT_MS', '0.1h', 360_000],
    ['KEEP_DAYS', '36h', undefined],
    ['KEEP_DAYS', '48h', 2],
    ['KEEP_DAYS', '7d', 7],
    ['LIMIT_BYTES', '512MiB', 2 ** 29],
    ['LIMIT_BYTES', '0.5GiB', 2 ** 29],
    ['LIMIT_BYTES', '100B', 100],
    ['CACHE_MIB', '1GiB', 1024],
    ['CACHE_MIB', '2048KiB', 2],
    ['CACHE_MIB', '1KiB', undefined],
    ['THREADS', '4', 4],
    ['THREADS', '65', undefined],
  ] as const)('%s=%s is %s', (variable, given, value) => {
    if (value === undefined) expect(() => parsed({ [variable]: given })).toThrow(ConfigError);
    else expect(parsed({ [variable]: given })[variable]).toBe(value);
  });

  it.each([
    ['WAIT_MS', '0', /^correct it/],
    ['WAIT_MS', '11min', /^correct it/],
    ['WAIT_MS', '1.5', /add the unit/],
    ['WAIT_MS', '1.5ms', /no whole number of ms/],
    ['WAIT_MS', '2 s', /use ms, s, min, h or d/],
    ['WAIT_MS', '2S', /use ms, s, min, h or d/],
    ['WAIT_MS', 's', /use ms, s, min, h or d/],
    ['WAIT_MS', '-2s', /^correct it/],
    ['WAIT_MS', '1e3', /use ms, s, min, h or d/],
    ['WAIT_MS', '9'.repeat(20), /^correct it/],
    ['WAIT_MS', '9'.repeat(200), /use ms/],
    ['LIMIT_BYTES', '512MB', /use B, KiB, MiB or GiB/],
    ['LIMIT_BYTES', '512M', /use B, KiB, MiB or GiB/],
    ['LIMIT_BYTES', '512bytes', /use B, KiB, MiB or GiB/],
    ['LIMIT_BYTES', '1024GiB1', /use B, KiB, MiB or GiB/],
    ['LIMIT_BYTES', '1025GiB', /^correct it/],
    ['THREADS', 'Auto', /^write auto$/],
    ['THREADS', '2.0', /^correct it/],
  ])('%s=%s is refused, and it says what to write', (variable, given, remedy) => {
    expect(remedyOf({ [variable]: given })).toMatch(remedy);
  });

  it('can’t have a default that it would refuse', () => {
    expect(() => duration('a wait', { unit: 's', default: '1500ms' })).toThrow(
      'the default of "a wait" must be a whole number of s from 0, or with its unit as in 2s, got 1500ms',
    );
    expect(() => bytes('a limit', { unit: 'MiB', max: 1, default: 2 })).toThrow(RangeError);
  });
});
