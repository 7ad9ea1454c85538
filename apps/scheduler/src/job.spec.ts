import { describe, expect, it } from '@jest/globals';
import { job, latestTick } from './job.ts';

const at = (time: string) => new Date(`2026-11-21T${time}Z`);
const tick = (pattern: string, time: string) => latestTick(job('x', pattern), at(time))?.toISOString();

describe('latestTick', () => {
  it.each([
    ['*/10 * * * * *', '12:00:09.999', '12:00:00.000'],
    ['*/10 * * * * *', '12:00:10.000', '12:00:10.000'],
    ['*/10 * * * * *', '12:00:10.001', '12:00:10.000'],
    ['0 0 * * * *', '12:59:59.000', '12:00:00.000'],
  ])('%s at %s is %s', (pattern, time, expected) => {
    expect(tick(pattern, time)).toBe(`2026-11-21T${expected}Z`);
  });

  it('is yesterday when the time of day has not come yet, in UTC', () => {
    expect(tick('0 5 0 * * *', '00:04:59')).toBe('2026-11-20T00:05:00.000Z');
  });

  it('is the same instant for replicas whose clocks differ', () => {
    expect(tick('*/10 * * * * *', '12:00:11')).toBe(tick('*/10 * * * * *', '12:00:18'));
  });

  it('refuses a pattern that is none', () => {
    expect(() => job('x', 'every ten seconds')).toThrow();
  });
});
