/** What a call may know of itself. Passed on as the options of a nested call, it hands on patience and identity. */
export interface CallContext {
  /**
   * Aborts on time-out, deadline, cancel and a lost hedge, with a typed error as its reason; never after a success.
   * Made when it is first read.
   */
  readonly signal: AbortSignal;
  /** 1, 2, 3, … */
  readonly attempt: number;
  /** When the whole call must be done, in ms of the pipeline's clock. */
  readonly deadlineAt: number | undefined;
  /** What is left of the deadline and of this attempt's time-out, in ms; Infinity when there is neither. */
  readonly remainingMs: number;
  /** The same for all attempts of a call. */
  readonly idempotencyKey: string | undefined;
  /** True when the caller says that making this call twice does no more than making it once. */
  readonly idempotent: boolean;
}

export type CallOptions = {
  /** Ends the call, wherever it is, with `CancelledError`. */
  readonly signal?: AbortSignal | undefined;
  /** An earlier deadline than the pipeline's own, in ms of the pipeline's clock: the caller's, who will wait no longer. */
  readonly deadlineAt?: number | undefined;
  /** Makes this call idempotent, and reaches the call as `ctx.idempotencyKey`. */
  readonly idempotencyKey?: string | undefined;
  /** Making this call twice does no more than making it once: it may be retried and hedged. Default false. */
  readonly idempotent?: boolean | undefined;
};

export type Work<T> = (ctx: CallContext) => T | PromiseLike<T>;

export function isIdempotent({ idempotent, idempotencyKey }: CallOptions): boolean {
  return idempotent === true || idempotencyKey !== undefined;
}
