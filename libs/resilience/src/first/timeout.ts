import { TimeoutError } from './errors.ts';
import { never, type Policy } from './policy.ts';

/**
 * Rejects with `TimeoutError` after `timeoutMs` and aborts this call, and only this call, so that it frees what it
 * holds. A cancel by the caller's own signal keeps the caller's reason.
 */
export function timeout(timeoutMs: number): Policy {
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`);
  return async (call, signal = never) => {
    signal.throwIfAborted();
    const own = new AbortController();
    const late = Promise.withResolvers<never>();
    const abort = (reason: unknown) => {
      own.abort(reason);
      late.reject(reason);
    };
    const cancelled = () => abort(signal.reason);
    signal.addEventListener('abort', cancelled, { once: true });
    const timer = setTimeout(() => abort(new TimeoutError(timeoutMs)), timeoutMs);
    try {
      return await Promise.race([call(own.signal), late.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancelled);
    }
  };
}
