import { describe, expect, it, jest } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { Call } from './call.ts';
import { pipeline } from './pipeline.ts';
import { watch } from './signals.ts';
import { VirtualClock } from './testing/index.ts';
import { fail, held, statuses, succeed } from './work.fixture.ts';

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('signals', () => {
  it('have one listener, however many calls are in flight on them, and print no warning', async () => {
    const warned = jest.spyOn(process, 'emitWarning');
    const { signal } = new AbortController();
    const billing = pipeline({ name: 'billing', clock: new VirtualClock() }).timeout('1s');
    const other = pipeline('other');
    const { calls, work } = held();
    for (let i = 0; i < 5_000; i++) void billing.outcome(work, { signal });
    for (let i = 0; i < 5_000; i++) void other.outcome(work, { signal });
    expect(calls).toHaveLength(10_000);
    expect(listeners(signal)).toBe(1);
    expect(warned).not.toHaveBeenCalled();
  });

  it('end all calls that are in flight on them, and none that has ended', async () => {
    const cancel = new AbortController();
    const billing = pipeline('billing');
    const { calls, work } = held();
    const outcomes = Array.from({ length: 1_000 }, () => billing.outcome(work, { signal: cancel.signal }));
    for (const [i, { resolve }] of calls.entries()) if (i % 4 === 0) resolve();
    await new Promise((resolve) => void setImmediate(resolve));
    cancel.abort();
    expect(await statuses(outcomes)).toEqual({ ok: 250, cancelled: 750 });
    expect(listeners(cancel.signal)).toBe(0);
  });

  it('have no listener for calls that ended: not one more after any number of them', async () => {
    const { signal } = new AbortController();
    const billing = pipeline('billing').timeout('1s');
    for (let i = 0; i < 1_000; i++) await billing.outcome(i % 2 ? succeed : fail, { signal });
    expect(listeners(signal)).toBe(1);
  });

  it('know nothing any more of calls that have ended', async () => {
    const cancel = new AbortController();
    const { signal } = cancel;
    const told = jest.spyOn(Call.prototype, 'cancel');
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .retry({ attempts: 2, idempotent: true })
      .timeout('1s');
    const { work } = held();
    for (const each of [succeed, fail, work]) void billing.outcome(each, { signal });
    await clock.advance(60_000);
    expect(billing.counts()).toMatchObject({ ok: 1, failed: 2 });
    void billing.outcome(work, { signal });
    cancel.abort();
    expect(told).toHaveBeenCalledTimes(1); // The one that is in flight.
  });

  it('tell each watcher once, in the order they came, and none that has ended its watch', () => {
    const cancel = new AbortController();
    const told: number[] = [];
    const subscriptions = Array.from({ length: 9 }, (_, i) =>
      watch(cancel.signal, { cancel: (reason) => void told.push(i, reason as number) }),
    );
    for (const i of [0, 4, 8]) {
      subscriptions[i]!.end();
      subscriptions[i]!.end();
    }
    cancel.abort(-1);
    cancel.abort(-2);
    expect(told).toEqual([1, 2, 3, 5, 6, 7].flatMap((i) => [i, -1]));
    for (const subscription of subscriptions) subscription.end();
  });

  it('may lose watchers while they tell them', () => {
    const cancel = new AbortController();
    const second = jest.fn();
    const first = watch(cancel.signal, { cancel: () => subscription.end() });
    const subscription = watch(cancel.signal, { cancel: second });
    cancel.abort();
    expect(second).not.toHaveBeenCalled();
    first.end();
  });
});
