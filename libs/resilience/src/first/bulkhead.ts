import { BulkheadFullError } from './errors.ts';
import { never, type Policy } from './policy.ts';

export type BulkheadOptions = {
  /** Calls at a time. */
  max: number;
  /** Calls that may wait for a place, first come, first served. */
  queue: number;
};

/** Bounds how much of this process one dependency can take. */
export function bulkhead({ max, queue }: BulkheadOptions): Policy {
  if (!(max >= 1)) throw new RangeError(`max must be at least 1, got ${max}`);
  let running = 0;
  const waiting = new Set<() => void>();

  const enter = (signal: AbortSignal): Promise<void> | undefined => {
    if (running < max) {
      running++;
      return undefined;
    }
    if (waiting.size >= queue) throw new BulkheadFullError(max, queue);
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', cancelled);
        resolve();
      };
      const cancelled = () => {
        waiting.delete(turn);
        reject(signal.reason);
      };
      waiting.add(turn);
      signal.addEventListener('abort', cancelled, { once: true });
    });
  };

  /** The place goes straight to whoever has waited longest, so that no newcomer overtakes. */
  const leave = () => {
    const [next] = waiting;
    if (!next) return void running--;
    waiting.delete(next);
    next();
  };

  return async (call, signal = never) => {
    signal.throwIfAborted();
    await enter(signal);
    try {
      return await call(signal);
    } finally {
      leave();
    }
  };
}
