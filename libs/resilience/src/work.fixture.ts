import type { CallContext } from './context.ts';
import type { Pipeline } from './pipeline.ts';
import type { VirtualClock } from './testing/index.ts';

/** Work that fails, each time with an error of its own. */
export const fail = (): Promise<never> => Promise.reject(new Error('down'));
export const succeed = (): Promise<string> => Promise.resolve('up');

/** Work that takes `ms` of the clock. */
export const takes =
  (clock: VirtualClock, ms: number, end: () => unknown = () => 'up') =>
  (): Promise<unknown> =>
    new Promise<void>((resolve) => void clock.setTimer(resolve, ms)).then(end);

/** Work that is settled by hand. */
export function held() {
  const calls: { ctx: CallContext; resolve: (value?: unknown) => void; reject: (error: unknown) => void }[] =
    [];
  const work = (ctx: CallContext): Promise<unknown> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    calls.push({ ctx, resolve, reject });
    return promise;
  };
  return { calls, work };
}

/** `count` calls at once, and how many of them have reached the work. */
export function crowd(through: Pipeline<unknown>, count: number) {
  const { calls, work } = held();
  const outcomes = Array.from({ length: count }, () => through.outcome(work));
  return { calls, outcomes };
}

/** What a promise has come to by now, or nothing. */
export async function now<T>(clock: VirtualClock, promise: Promise<T>): Promise<T | undefined> {
  let value: T | undefined;
  void promise.then((settled) => (value = settled));
  await clock.settle();
  return value;
}

export const statuses = async (outcomes: Promise<{ status: string }>[]): Promise<Record<string, number>> => {
  const tally: Record<string, number> = {};
  for (const { status } of await Promise.all(outcomes)) tally[status] = (tally[status] ?? 0) + 1;
  return tally;
};
