/**
 * What all errors of this library have in common. They carry no stack: it would show the inside of a timer, and taking
 * it costs more than the rejection itself. Tell them apart by `code`, which also works when two copies of the library
 * are loaded.
 */
export abstract class ResilienceError extends Error {
  declare readonly code: ResilienceErrorCode;
  /** True when the same call may well succeed later. */
  declare readonly transient: boolean;
  /** Name of the pipeline. */
  declare readonly pipeline: string;

  /**
   * @param message left out by a class that composes it when it is read
   * @param headline all that `stack` says besides the name
   */
  constructor(pipeline: string, message?: string, headline = message) {
    const limit = Error.stackTraceLimit;
    // Not 0: then V8 makes a stack all the same, an empty one, which takes as long as all the rest of the error.
    Error.stackTraceLimit = undefined as never;
    super(message);
    Error.stackTraceLimit = limit;
    this.stack = `${this.name}: ${headline}`;
    this.pipeline = pipeline;
  }
}

export type ResilienceErrorCode =
  'timeout' | 'deadline_exceeded' | 'cancelled' | 'hedge_lost' | 'failed_result' | RejectionCode;
export type RejectionCode = 'circuit_open' | 'bulkhead_full' | 'queue_timeout' | 'rate_limited';

/** One attempt did not settle in time. Whether it had an effect is not known. */
export class TimeoutError extends ResilienceError {
  declare readonly code: 'timeout';
  declare readonly timeoutMs: number;
  constructor(pipeline: string, timeoutMs: number) {
    super(pipeline, `"${pipeline}" gave no answer within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The whole call, waits and attempts together, did not settle in time. Whether it had an effect is not known. */
export class DeadlineExceededError extends ResilienceError {
  declare readonly code: 'deadline_exceeded';
  /** How long this call had, in ms. */
  declare readonly deadlineMs: number;
  constructor(pipeline: string, deadlineMs: number) {
    super(pipeline, `"${pipeline}" was not done within its deadline of ${Math.round(deadlineMs)} ms`);
    this.deadlineMs = deadlineMs;
  }
}

/** The caller's signal aborted. `cause` is the caller's reason. */
export class CancelledError extends ResilienceError {
  declare readonly code: 'cancelled';
  constructor(pipeline: string, cause: unknown) {
    super(pipeline, `the call of "${pipeline}" was cancelled by its caller`);
    hide(this, 'cause', cause);
  }
}

/** Reason of the signal of an attempt that another one, started in parallel, has made needless. */
export class HedgeLostError extends ResilienceError {
  declare readonly code: 'hedge_lost';
  constructor(pipeline: string) {
    super(pipeline, `another attempt of "${pipeline}" answered first`);
  }
}

/**
 * `isFailureResult` says that this value is a failure. Callers of `execute` get the value itself. It is the error's cause,
 * too: what a response asks for, such as `Retry-After`, is found as it is in errors that wrap one.
 */
export class FailedResultError extends ResilienceError {
  declare readonly code: 'failed_result';
  declare readonly value: unknown;
  constructor(pipeline: string, value: unknown) {
    super(pipeline, `"${pipeline}" answered with a failure`);
    hide(this, 'value', value);
    hide(this, 'cause', value);
  }
}

/** The call was not made. */
export abstract class RejectedError extends ResilienceError {
  declare readonly code: RejectionCode;
}

/** The circuit is open, or half-open with all its probes out. */
export class CircuitOpenError extends RejectedError {
  declare readonly code: 'circuit_open';
  /** Until the first probe may go, in ms; 0 while probes are out; Infinity while isolated by hand. */
  declare readonly retryAfterMs: number;
  constructor(pipeline: string, retryAfterMs: number) {
    super(pipeline, undefined, `circuit "${pipeline}" is open`);
    this.retryAfterMs = retryAfterMs;
  }
}

// Under an outage most of these are made and never read, and composing the message is half of what one costs.
Object.defineProperty(CircuitOpenError.prototype, 'message', {
  configurable: true,
  get(this: CircuitOpenError): string {
    return `circuit "${this.pipeline}" is open${untilText(this.retryAfterMs)}`;
  },
  set(this: CircuitOpenError, message: string) {
    hide(this, 'message', message);
  },
});

function untilText(ms: number): string {
  if (ms === Infinity) return ' until it is released by hand';
  return ms > 0 ? ` for another ${Math.ceil(ms)} ms` : ': all its probes are out';
}

/** All places, and all places in the queue, are taken. */
export class BulkheadFullError extends RejectedError {
  declare readonly code: 'bulkhead_full';
  constructor(pipeline: string, max: number, queue: number) {
    super(pipeline, `bulkhead "${pipeline}" is full: ${max} running, ${queue} waiting`);
  }
}

/** The call waited in the bulkhead's queue for as long as it may. */
export class QueueTimeoutError extends RejectedError {
  declare readonly code: 'queue_timeout';
  declare readonly timeoutMs: number;
  constructor(pipeline: string, timeoutMs: number) {
    super(pipeline, `bulkhead "${pipeline}" had no place within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** More calls than the rate limit allows. */
export class RateLimitedError extends RejectedError {
  declare readonly code: 'rate_limited';
  /** Until there will be room, in ms. */
  declare readonly retryAfterMs: number;
  constructor(pipeline: string, retryAfterMs: number) {
    super(pipeline, `rate limit of "${pipeline}" is used up for another ${Math.ceil(retryAfterMs)} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** True for a rejection by any copy of this library: the call was not made. */
export function isRejection(error: unknown): error is RejectedError {
  return (error as { [REJECTION]?: true } | null | undefined)?.[REJECTION] === true;
}

/** True for the error of whoever was cancelled: ours, that of fetch, and of all who follow the platform's naming. */
export function isCancel(error: unknown): boolean {
  return (error as { name?: unknown } | null | undefined)?.name === 'AbortError';
}

const REJECTION = Symbol.for('cairn.resilience.rejection');
Object.defineProperty(RejectedError.prototype, REJECTION, { value: true });
/**
 * What is the same for all errors of a class stands on its prototype, where it costs nothing per error; enumerable, so
 * that loggers show it. Names are written out, since a minifier may rename the classes.
 */
function describe(
  type: { prototype: ResilienceError },
  name: string,
  code: string,
  transient: boolean,
): void {
  hide(type.prototype, 'name', name);
  Object.assign(type.prototype, { code, transient });
}

describe(TimeoutError, 'TimeoutError', 'timeout', true);
describe(DeadlineExceededError, 'DeadlineExceededError', 'deadline_exceeded', true);
// The name that fetch and most of the ecosystem look for to tell a cancel from a failure.
describe(CancelledError, 'AbortError', 'cancelled', false);
describe(HedgeLostError, 'AbortError', 'hedge_lost', false);
describe(FailedResultError, 'FailedResultError', 'failed_result', true);
describe(CircuitOpenError, 'CircuitOpenError', 'circuit_open', true);
describe(BulkheadFullError, 'BulkheadFullError', 'bulkhead_full', true);
describe(QueueTimeoutError, 'QueueTimeoutError', 'queue_timeout', true);
describe(RateLimitedError, 'RateLimitedError', 'rate_limited', true);

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true });
}
