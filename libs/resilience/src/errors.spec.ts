import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import {
  BulkheadFullError,
  CancelledError,
  CircuitOpenError,
  DeadlineExceededError,
  FailedResultError,
  HedgeLostError,
  isCancel,
  isRejection,
  QueueTimeoutError,
  RateLimitedError,
  RejectedError,
  ResilienceError,
  TimeoutError,
} from './errors.ts';

const CAUSE = new Error('the cause');
const ALL: [ResilienceError, name: string, code: string, transient: boolean, message: string][] = [
  [new TimeoutError('p', 5), 'TimeoutError', 'timeout', true, '"p" gave no answer within 5 ms'],
  [
    new DeadlineExceededError('p', 5.4),
    'DeadlineExceededError',
    'deadline_exceeded',
    true,
    '"p" was not done within its deadline of 5 ms',
  ],
  [
    new CancelledError('p', CAUSE),
    'AbortError',
    'cancelled',
    false,
    'the call of "p" was cancelled by its caller',
  ],
  [new HedgeLostError('p'), 'AbortError', 'hedge_lost', false, 'another attempt of "p" answered first'],
  [
    new FailedResultError('p', CAUSE),
    'FailedResultError',
    'failed_result',
    true,
    '"p" answered with a failure',
  ],
  [
    new CircuitOpenError('p', 4.2),
    'CircuitOpenError',
    'circuit_open',
    true,
    'circuit "p" is open for another 5 ms',
  ],
  [
    new CircuitOpenError('p', 0),
    'CircuitOpenError',
    'circuit_open',
    true,
    'circuit "p" is open: all its probes are out',
  ],
  [
    new CircuitOpenError('p', Infinity),
    'CircuitOpenError',
    'circuit_open',
    true,
    'circuit "p" is open until it is released by hand',
  ],
  [
    new BulkheadFullError('p', 2, 3),
    'BulkheadFullError',
    'bulkhead_full',
    true,
    'bulkhead "p" is full: 2 running, 3 waiting',
  ],
  [
    new QueueTimeoutError('p', 5),
    'QueueTimeoutError',
    'queue_timeout',
    true,
    'bulkhead "p" had no place within 5 ms',
  ],
  [
    new RateLimitedError('p', 4.2),
    'RateLimitedError',
    'rate_limited',
    true,
    'rate limit of "p" is used up for another 5 ms',
  ],
];

describe.each(ALL)('%s', (error, name, code, transient, message) => {
  it('has a name, a code, a message, and says whether to try again', () => {
    expect(error).toBeInstanceOf(ResilienceError);
    expect(error).toBeInstanceOf(Error);
    expect({ ...pick(error) }).toEqual({ name, code, transient, message, pipeline: 'p' });
    expect(String(error)).toBe(`${name}: ${message}`);
  });

  it('shows its message, and no stack of the inside of a timer', () => {
    const shown = inspect(error);
    // An open circuit's says for how long in a property only: composing the text costs more than the rest of it.
    expect(shown).toContain(error instanceof CircuitOpenError ? 'circuit "p" is open' : message);
    expect(error.stack).not.toMatch(/^ +at /m);
  });
});

function pick({ name, code, transient, message, pipeline }: ResilienceError) {
  return { name, code, transient, message, pipeline };
}

describe('errors', () => {
  it('leave the length of all other stacks as it is', () => {
    const before = Error.stackTraceLimit;
    new TimeoutError('p', 5);
    expect(Error.stackTraceLimit).toBe(before);
    expect(new Error('other').stack).toContain('errors.spec');
  });

  it('that are rejections are known for that, by any copy of the library', () => {
    for (const [error] of ALL) expect(isRejection(error)).toBe(error instanceof RejectedError);
    const rejections = ALL.filter(([error]) => isRejection(error)).map(([, , code]) => code);
    expect(new Set(rejections)).toEqual(
      new Set(['circuit_open', 'bulkhead_full', 'queue_timeout', 'rate_limited']),
    );
    const ofAnotherCopy = { code: 'circuit_open', [Symbol.for('cairn.resilience.rejection')]: true };
    expect(isRejection(ofAnotherCopy)).toBe(true);
    for (const other of [undefined, null, 'text', 5, {}, new Error('other')])
      expect(isRejection(other)).toBe(false);
  });

  it('that are cancels are known for that, by the name that the platform gives them', () => {
    expect(isCancel(new CancelledError('p', CAUSE))).toBe(true);
    expect(isCancel(new DOMException('gone', 'AbortError'))).toBe(true);
    for (const other of [undefined, null, 'AbortError', new TimeoutError('p', 5)])
      expect(isCancel(other)).toBe(false);
  });

  it('carry a cause that loggers see, but that is not one of their own fields', () => {
    const error = new CancelledError('p', CAUSE);
    expect(error.cause).toBe(CAUSE);
    expect(Object.keys(error)).not.toContain('cause');
    expect(inspect(error)).toContain('the cause');
  });
});
