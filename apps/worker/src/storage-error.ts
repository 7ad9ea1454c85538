/** A request to object storage failed; `transient` when waiting and asking again may help. */
export class StorageError extends Error {
  readonly code = 'storage_failed';
  readonly transient: boolean;
  constructor(message: string, transient: boolean, cause: unknown) {
    super(message, { cause });
    this.name = 'StorageError';
    this.transient = transient;
  }
}

// 408 and 429 ask for patience; 409 says that another conditional write to the key is under way.
const PATIENCE = new Set([408, 409, 429]);

// What a mistake in our own code looks like. Waiting does not mend it.
const BUG = /^(Type|Range|Reference|Syntax)Error$/;

/**
 * An answer below 500 is about the request (AccessDenied, NoSuchBucket). One from 500 up is an outage, and so is no
 * answer at all, whatever the network or the SDK calls it.
 */
export function asStorageError(error: unknown): StorageError {
  const status = statusOf(error);
  const { name, message } = error as Error;
  const transient = status === undefined ? !BUG.test(name) : status >= 500 || PATIENCE.has(status);
  return new StorageError(`object storage: ${status ?? 'no answer'} ${name}: ${message}`, transient, error);
}

/** The HTTP status in an error of the AWS SDK; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}
