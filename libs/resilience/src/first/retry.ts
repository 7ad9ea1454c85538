import { CircuitOpenError } from './errors.ts';
import { never, type Policy } from './policy.ts';

export type RetryOptions = {
  /** Calls in all, the first one included. */
  attempts: number;
  /** Upper bound of the first wait; doubles from attempt to attempt. */
  baseMs: number;
  /** Upper bound of any wait. */
  maxMs: number;
  /** Which failures are worth another try. Default: those that say `transient: true`, but never an open circuit. */
  retryOn?: (error: unknown) => boolean;
  /** In [0, 1). Injected by tests. */
  random?: () => number;
};

/**
 * Calls again after a transient failure, for idempotent calls only. Waits a random time up to an exponentially growing
 * bound ("full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that clients
 * that failed together do not come back together.
 */
export function retry(options: RetryOptions): Policy {
  const { attempts, baseMs, maxMs, retryOn = isTransient, random = Math.random } = options;
  if (!(Number.isInteger(attempts) && attempts >= 1)) {
    throw new RangeError(`attempts must be a whole number from 1, got ${attempts}`);
  }
  return async (call, signal = never) => {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await call(signal);
      } catch (error) {
        if (attempt >= attempts || signal.aborted || !retryOn(error)) throw error;
        await pause(random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1)), signal);
      }
    }
  };
}

function isTransient(error: unknown): boolean {
  return (
    !(error instanceof CircuitOpenError) && (error as { transient?: unknown } | null)?.transient === true
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', cancelled);
      resolve();
    }, ms);
    signal.addEventListener('abort', cancelled, { once: true });
  });
}
