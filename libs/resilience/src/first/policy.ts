/** A call that stops its work when `signal` aborts. */
export type Call<T> = (signal: AbortSignal) => Promise<T>;

/** Wraps a call. Policies nest by hand, outermost first: `retry(s => breaker(s2 => fetch(url, { signal: s2 }), s))`. */
export type Policy = <T>(call: Call<T>, signal?: AbortSignal) => Promise<T>;

/** The signal of a caller that will never cancel. */
export const never: AbortSignal = new AbortController().signal;
