import { FailedResultError, type RejectedError, type RejectionCode } from './errors.ts';

/** How a call ended, as a value. */
export type Outcome<T> =
  | { readonly status: 'ok'; readonly value: T }
  /** The other side failed, or did not answer in time. */
  | { readonly status: 'failed'; readonly error: unknown }
  /** It ended with an error that `isFailure` says is none of the other side, such as a 404. */
  | { readonly status: 'ignored'; readonly error: unknown }
  /** The caller gave up. */
  | { readonly status: 'cancelled'; readonly error: unknown }
  /** It was not made. */
  | { readonly status: 'rejected'; readonly error: unknown; readonly code: RejectionCode };

/** What a fallback is told. */
export type Failure = Extract<Outcome<never>, { status: 'failed' | 'rejected' }>;

/** An attempt that gave no value. */
export interface Unsuccessful {
  readonly status: 'failed' | 'ignored' | 'cancelled' | 'rejected';
  readonly error: unknown;
  /** Of one that was rejected. */
  readonly code?: RejectionCode;
}

/**
 * Our own rejection. Each read of `error` makes one: most who are refused under load only want to know that they are, and
 * an error costs more than all the rest of a refusal.
 */
export class Rejected implements Unsuccessful {
  readonly status = 'rejected';
  readonly code: RejectionCode;
  readonly #make: () => RejectedError;

  constructor(code: RejectionCode, make: () => RejectedError) {
    this.code = code;
    this.#make = make;
    Object.freeze(this);
  }

  get error(): RejectedError {
    return this.#make();
  }
}

/** A value that `isFailureResult` calls a failure. */
export class FailedResult implements Unsuccessful {
  readonly status = 'failed';
  readonly value: unknown;
  readonly #pipeline: string;

  constructor(pipeline: string, value: unknown) {
    this.value = value;
    this.#pipeline = pipeline;
  }

  get error(): FailedResultError {
    return new FailedResultError(this.#pipeline, this.value);
  }
}

/** A predicate of the caller's threw: a bug that has to show, and that proves nothing of the other side. */
export class Thrown implements Unsuccessful {
  readonly status = 'ignored';
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

export function verdict(predicate: (subject: unknown) => boolean, subject: unknown): boolean | Thrown {
  try {
    return predicate(subject);
  } catch (error) {
    return new Thrown(error);
  }
}
