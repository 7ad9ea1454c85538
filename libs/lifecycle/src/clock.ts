/** Where time and timers come from; tests put a virtual one in. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /**
   * Resolves `ms` from now, or as soon as `signal` aborts; it never rejects. `ref: false`: waiting alone keeps no process
   * alive. Default true.
   */
  sleep(ms: number, options?: { signal?: AbortSignal; ref?: boolean }): Promise<void>;
}

/** The clock of this process, which no adjustment of the wall clock moves. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, { signal, ref = true } = {}) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (!ref) timer.unref();
      signal?.addEventListener('abort', done);
    }),
};

/** Work that did not end in time. */
export class LateError extends Error {
  override readonly name = 'LateError';
  constructor(ms: number) {
    super(`no answer in ${ms} ms`);
  }
}

/**
 * What `work` resolves with, if it does so within `ms` and before `outer` aborts. Its signal aborts when that is over; work
 * that does not heed it runs on, and nobody waits for it.
 *
 * @throws LateError when the time is over, and the reason of `outer` when that aborts
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => T | Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  outer?.throwIfAborted();
  const late = new AbortController();
  const over = new AbortController();
  const leave = () => over.abort();
  outer?.addEventListener('abort', leave);
  const alarm = clock.sleep(ms, { signal: over.signal }).then(() => {
    outer?.throwIfAborted();
    const error = new LateError(ms);
    if (!over.signal.aborted) late.abort(error);
    throw error;
  });
  const signal = outer ? AbortSignal.any([late.signal, outer]) : late.signal;
  try {
    return await Promise.race([Promise.resolve(signal).then(work), alarm]);
  } finally {
    outer?.removeEventListener('abort', leave);
    over.abort();
  }
}

/** Resolves once the signal has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What went wrong, in words: the message of an error, and of an AggregateError those of its errors. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with two addresses fails with an AggregateError whose own message is empty.
  if (error instanceof AggregateError && !error.message) return error.errors.map(reasonOf).join('; ');
  return error.message || error.name;
}
