/** The call did not settle in time. Whether it had an effect is not known. */
export class TimeoutError extends Error {
  readonly code = 'timeout';
  /** Waiting and asking again may help. */
  readonly transient = true;
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'TimeoutError';
  }
}

/** The circuit is open: the call was not made. */
export class CircuitOpenError extends Error {
  readonly code = 'circuit_open';
  readonly transient = true;
  readonly retryAfterMs: number;
  constructor(name: string, retryAfterMs: number) {
    super(`circuit "${name}" is open for another ${Math.ceil(retryAfterMs)} ms`);
    this.name = 'CircuitOpenError';
    this.retryAfterMs = retryAfterMs;
  }
}

/** All places, and all places in the queue, are taken: the call was not made. */
export class BulkheadFullError extends Error {
  readonly code = 'bulkhead_full';
  readonly transient = true;
  constructor(max: number, queue: number) {
    super(`bulkhead is full: ${max} running, ${queue} waiting`);
    this.name = 'BulkheadFullError';
  }
}
