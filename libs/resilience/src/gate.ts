export type Settle = (value?: unknown) => void;

export const nothing: Settle = () => {};

/** The settling functions of the promise that `gate` made last: to be read at once. */
export let resolveNew: Settle = nothing;
export let rejectNew: Settle = nothing;

const grab = (resolve: Settle, reject: Settle): void => {
  resolveNew = resolve;
  rejectNew = reject;
};

/** A promise that others settle. One executor serves all, since a closure for each would cost half of the promise. */
export function gate(): Promise<unknown> {
  return new Promise<unknown>(grab as never);
}

const done = Promise.resolve();

/** Runs `step` a microtask later, in the present async context. */
export function later<T>(step: () => T | PromiseLike<T>): Promise<T> {
  return done.then(step);
}
