export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Resolves after `ms`, or as soon as the signal is aborted. Keeps a process alive. */
export const pause: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });

/**
 * The answer, for which it waits without end while nothing is stopping, and for `ms` once `stop` is aborted.
 * @throws what the answer rejects with, or an Error that says how long it waited
 */
export function untilStopped<T>(
  answer: Promise<T>,
  { stop, ms, sleep }: { stop: AbortSignal; ms: number; sleep: Sleep },
): Promise<T> {
  const answered = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const giveUp = () =>
      void sleep(ms, answered.signal).then(() => reject(new Error(`no answer within ${ms} ms of the stop`)));
    if (stop.aborted) giveUp();
    else stop.addEventListener('abort', giveUp, { signal: answered.signal });
    answer.then(resolve, reject);
    // Its abort ends a sleep as well; by then the promise is settled.
    answer.then(
      () => answered.abort(),
      () => answered.abort(),
    );
  });
}
