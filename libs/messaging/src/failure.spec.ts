import { describe, expect, it } from '@jest/globals';
import { classify, pauseAfter } from './failure.ts';

const failure = (fields: object, cause?: unknown) => Object.assign(new Error('failed', { cause }), fields);
const bounds = { maxBackoffMs: 5000, maxPauseMs: 60_000 };

describe('what a failure means', () => {
  it.each([
    ['transient', failure({ transient: true })],
    ['transient', failure({}, failure({ code: 'ECONNREFUSED' }))],
    ['transient', failure({ code: '57P01' })],
    ['transient', failure({ code: '55P03' })],
    ['poison', failure({ poison: true, transient: true })],
    ['unknown', failure({ code: '23505' })],
    ['unknown', new DOMException('stopping', 'AbortError')],
    ['unknown', undefined],
  ])('is %s', (kind, error) => {
    expect(classify(error)).toBe(kind);
  });
});

describe('the pause after a failure', () => {
  it('doubles from try to try, up to its bound', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 100].map((tries) => pauseAfter(failure({}), tries, bounds));
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('is what the failure says, itself or along its causes, however often it was tried', () => {
    const open = failure({ retryAfterMs: 7000 });
    expect(pauseAfter(open, 1, bounds)).toBe(7000);
    expect(pauseAfter(failure({}, failure({}, open)), 9, bounds)).toBe(7000);
  });

  it.each([
    [0, 200],
    [6999.2, 7000],
    [3_600_000, 60_000],
    [Infinity, 60_000],
  ])('stays whole and in bounds when the failure says %d', (retryAfterMs, pauseMs) => {
    expect(pauseAfter(failure({ retryAfterMs }), 9, bounds)).toBe(pauseMs);
  });

  it.each([NaN, -1, '7000', null])('does not believe %p', (retryAfterMs) => {
    expect(pauseAfter(failure({ retryAfterMs }), 2, bounds)).toBe(400);
  });
});
