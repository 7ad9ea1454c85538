import { describe, expect, it } from '@jest/globals';
import { parseRetryAfter, readRetryAfter } from './retry-after.ts';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 30);

describe('Retry-After', () => {
  it.each<[string | number, number]>([
    ['120', 120_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['0.5', 500],
    [3, 3_000],
  ])('reads %p as seconds', (value, ms) => {
    expect(parseRetryAfter(value, NOW)).toBe(ms);
  });

  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'reads the date %p as the time until then',
    (date) => {
      expect(parseRetryAfter(date, NOW)).toBe(7_000);
    },
  );

  it('takes a date that has passed as now', () => {
    expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:29 GMT', NOW)).toBe(0);
  });

  it('compares a date to the wall clock of this machine', () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    expect(parseRetryAfter(inAMinute)).toBeGreaterThan(50_000);
    expect(parseRetryAfter(inAMinute)).toBeLessThanOrEqual(60_000);
  });

  it.each([
    '',
    ' ',
    'soon',
    '-1',
    '1e3',
    '0x10',
    '5s',
    '1, 2',
    'May',
    '2030-01-01',
    'Sun, 06 Nov 1994 25:49:37 GMT',
    'Sun, 06 Xyz 1994 08:49:37 GMT',
    -1,
    NaN,
    Infinity,
    null,
    undefined,
  ])('ignores %p', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });

  it('asks for longer than anybody waits when the number of seconds is beyond all numbers', () => {
    expect(parseRetryAfter('9'.repeat(400), NOW)).toBeGreaterThan(3_600_000);
  });
});

describe('what an error asks to wait', () => {
  it.each<[string, unknown, number]>([
    ['its own property', { retryAfterMs: 250 }, 250],
    ['a Headers object', { headers: new Headers({ 'Retry-After': '2' }) }, 2_000],
    ['a plain record', { headers: { 'retry-after': '2' } }, 2_000],
    ['a record in another case', { headers: { 'RETRY-After': '2' } }, 2_000],
    ['the response of an HTTP client', { response: { headers: new Headers({ 'retry-after': '3' }) } }, 3_000],
    ['a record of the response', { response: { headers: { 'Retry-After': 3 } } }, 3_000],
    ['a real Response', new Response(null, { status: 503, headers: { 'retry-after': '4' } }), 4_000],
    ['its cause', new Error('failed', { cause: { retryAfterMs: 5 } }), 5],
    [
      'the header of the cause of its cause',
      { cause: { cause: { headers: { 'retry-after': '6' } } } },
      6_000,
    ],
  ])('is read from %s', (_, error, ms) => {
    expect(readRetryAfter(error)).toBe(ms);
  });

  it('is the nearest of several', () => {
    expect(readRetryAfter({ retryAfterMs: 1, headers: { 'retry-after': '2' } })).toBe(1);
    expect(readRetryAfter({ headers: { 'retry-after': '2' }, cause: { retryAfterMs: 3 } })).toBe(2_000);
    expect(readRetryAfter({ headers: { 'retry-after': 'soon' }, cause: { retryAfterMs: 3 } })).toBe(3);
  });

  it.each([
    new Error('plain'),
    { retryAfterMs: '5' },
    { retryAfterMs: NaN },
    { retryAfterMs: -1 },
    { headers: null, response: null },
    { headers: new Headers() },
    { headers: 'retry-after: 5' },
    'text',
    503,
    null,
    undefined,
  ])('is nothing for %p', (error) => {
    expect(readRetryAfter(error)).toBeUndefined();
  });

  it('is looked for no deeper than eight causes, so that a circle ends', () => {
    const wrapped = (times: number): unknown =>
      times === 0 ? { retryAfterMs: 9 } : { cause: wrapped(times - 1) };
    expect(readRetryAfter(wrapped(8))).toBe(9);
    expect(readRetryAfter(wrapped(9))).toBeUndefined();
    const circle: { cause?: unknown } = {};
    circle.cause = circle;
    expect(readRetryAfter(circle)).toBeUndefined();
  });
});
