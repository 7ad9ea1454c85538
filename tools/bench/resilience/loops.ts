import type { CaseId, Entrant } from './cases.ts';

/** Makes that many calls and says how many of them came out as they should. */
export type Batch = (calls: number) => Promise<number>;

export interface Contestant {
  batch: Batch;
  /** The size of a batch, where it is a part of the case; otherwise what takes a few milliseconds. */
  calls?: number;
  /** Before each batch, not timed. */
  prepare?(): Promise<void>;
  /** After the last one; throws when what was measured was not what it should have been. */
  check?(): Promise<void>;
}

export type Field = Partial<Record<Entrant, () => Contestant | Promise<Contestant>>>;
export type Fields = Record<CaseId, Field>;

let compiled = 0;

/**
 * Code of its own for every contestant, so that what V8 learns at one call site spoils no other. V8 gives equal text the
 * same code and the same feedback: hence the number.
 */
function compile<T>(names: string[], body: string): (...values: unknown[]) => T {
  return new Function(...names, `/* ${++compiled} */ ${body}`) as (...values: unknown[]) => T;
}

/** The function that is guarded: async, and gives 1 at once. */
export const one = () => compile<() => Promise<number>>([], 'return async () => 1')();

export const failure = new Error('the upstream has failed');
export const fails = () =>
  compile<() => Promise<number>>(['failure'], 'return async () => { throw failure; }')(failure);

/** One call after another; `call` is an expression of `target` and `fn` that awaits and gives 1. */
export const sequence = (call: string, target?: unknown, fn: unknown = one()) =>
  compile<Batch>(
    ['target', 'fn'],
    `return async (calls) => {
      let good = 0;
      for (let i = 0; i < calls; i++) good += ${call};
      return good;
    }`,
  )(target, fn);

/** One call after another; each is to reject with an error that is not the one before, and the caller catches it. */
export const rejections = (call: string, target?: unknown) =>
  compile<Batch>(
    ['target', 'fn'],
    `return async (calls) => {
      let good = 0, last;
      for (let i = 0; i < calls; i++) {
        try { await ${call}; } catch (error) { if (error !== last) good++; last = error; }
      }
      return good;
    }`,
  )(target, one());

/** As many calls on each of the targets, one after another; each is to reject with what `fn` has thrown. */
export const failures = (call: string, targets: unknown[]) =>
  compile<Batch>(
    ['targets', 'fn', 'failure'],
    `return async (calls) => {
      let good = 0;
      const each = calls / targets.length;
      for (const target of targets) {
        for (let i = 0; i < each; i++) {
          try { await ${call}; } catch (error) { if (error === failure) good++; }
        }
      }
      return good;
    }`,
  )(targets, fails(), failure);

export const IN_FLIGHT = 5000;

/** All calls started before any is settled. */
export const flight = (call: string, target?: unknown): Contestant => ({
  calls: IN_FLIGHT,
  batch: compile<Batch>(
    ['target', 'signal'],
    `return async (calls) => {
      const settle = [], started = [];
      const fn = () => new Promise((resolve) => { settle.push(resolve); });
      for (let i = 0; i < calls; i++) started.push(${call});
      if (settle.length !== calls) return settle.length;
      for (let i = 0; i < calls; i++) settle[i](1);
      let good = 0;
      for (const value of await Promise.all(started)) good += value;
      return good;
    }`,
  )(target, new AbortController().signal),
});

/** The floor of a case: the same loop without a library. */
export function floorOf(id: CaseId): Contestant {
  if (id === 'flight') return flight('fn()');
  return { batch: id === 'failure' ? failures('fn()', [undefined]) : sequence('await fn()') };
}
