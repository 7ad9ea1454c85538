import { describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { crowd, held, statuses, takes } from './work.fixture.ts';

function narrow({ queue = 100, max = 1 } = {}) {
  const clock = new VirtualClock();
  return { clock, billing: pipeline({ name: 'billing', clock }).bulkhead({ max, queue }).timeout('1s') };
}

describe('traps 27: places', () => {
  it('27: newcomers do not overtake the queue, not even one that comes as a place gets free', async () => {
    const { billing, clock } = narrow();
    const order: string[] = [];
    const enter = (name: string) => billing.outcome(() => void order.push(name));
    const { calls } = crowd(billing, 1);
    const early = ['a', 'b', 'c'].map(enter);
    // Settles the first call, and comes in the same turn, before whoever waits has heard of it.
    calls[0]!.resolve();
    for (let i = 0; i < 10; i++) {
      await Promise.resolve();
      early.push(enter(`late ${i}`));
    }
    await clock.settle();
    await Promise.all(early);
    expect(order.slice(0, 4)).toEqual(['a', 'b', 'c', 'late 0']);
    expect(order).toEqual(['a', 'b', 'c', ...Array.from({ length: 10 }, (_, i) => `late ${i}`)]);
  });

  it("27: a queued call runs in its own caller's AsyncLocalStorage context", async () => {
    const { billing } = narrow();
    const request = new AsyncLocalStorage<number>();
    const seen: [number, unknown, unknown][] = [];
    const calls = Array.from({ length: 20 }, (_, id) =>
      request.run(id, async () => {
        const within = await billing.execute(async () => {
          await Promise.resolve();
          return request.getStore();
        });
        seen.push([id, within, request.getStore()]);
      }),
    );
    await Promise.all(calls);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, id) => [id, id, id]));
  });

  it('27: a place is not free while the call that timed out still runs', async () => {
    const { billing, clock } = narrow({ queue: 0 });
    const { calls, outcomes } = crowd(billing, 1);
    await clock.advance(1_000);
    expect(await statuses(outcomes)).toEqual({ failed: 1 });
    expect(billing.counts()).toMatchObject({ running: 1, abandoned: 1 });
    expect(await billing.outcome(() => 1)).toMatchObject({ code: 'bulkhead_full' });
    calls[0]!.resolve('at last');
    await clock.settle();
    expect(billing.counts()).toMatchObject({ running: 0, abandoned: 0 });
    expect(await billing.outcome(() => 1)).toMatchObject({ status: 'ok' });
  });

  it.each(['times out', 'is cancelled', 'fails', 'succeeds', 'throws at once'] as const)(
    '27: a call that %s gives its place back exactly once',
    async (how) => {
      const { billing, clock } = narrow({ max: 2, queue: 0 });
      for (let i = 0; i < 5; i++) {
        const cancel = new AbortController();
        const { calls, work } = held();
        const outcome = billing.outcome(
          (ctx) => {
            const promise = work(ctx);
            if (how === 'throws at once') throw new Error('at once');
            return promise;
          },
          { signal: cancel.signal },
        );
        if (how === 'times out') await clock.advance(1_000);
        if (how === 'is cancelled') cancel.abort();
        if (how === 'fails') calls[0]!.reject(new Error('down'));
        if (how !== 'throws at once') calls[0]!.resolve();
        await outcome;
        await clock.advance(10_000);
      }
      // Given back twice there would be more than two places by now, never given back fewer.
      expect(crowd(billing, 10).calls).toHaveLength(2);
      expect(billing.counts()).toMatchObject({ running: 2, abandoned: 0 });
    },
  );

  it('27: a place granted to a caller who cancels in the same moment goes on to the next', async () => {
    const { billing, clock } = narrow();
    const first = crowd(billing, 1);
    const cancel = new AbortController();
    const cancelled = billing.outcome(held().work, { signal: cancel.signal });
    const next = crowd(billing, 2);
    first.calls[0]!.resolve();
    // Wherever the cancel falls between the grant and the start: none of these may lose or double the place.
    await Promise.resolve();
    await Promise.resolve();
    cancel.abort();
    await cancelled;
    await clock.settle();
    expect(next.calls).toHaveLength(1);
    next.calls[0]!.resolve();
    await clock.settle();
    expect(next.calls).toHaveLength(2);
    next.calls[1]!.resolve();
    await clock.settle();
    expect(billing.counts()).toMatchObject({ running: 0, queued: 0 });
    expect(crowd(billing, 10).calls).toHaveLength(1);
  });

  it('27: whoever leaves the queue, leaves it in its order', async () => {
    const { billing, clock } = narrow();
    void billing.outcome(takes(clock, 10));
    const order: number[] = [];
    const cancels = Array.from({ length: 50 }, (_, id) => {
      const cancel = new AbortController();
      void billing.outcome(() => void order.push(id), { signal: cancel.signal });
      return cancel;
    });
    for (const [id, cancel] of cancels.entries()) if (id % 3) cancel.abort();
    expect(billing.counts().queued).toBe(17);
    await clock.advance(10);
    expect(order).toEqual(Array.from({ length: 17 }, (_, i) => i * 3));
    expect(billing.counts()).toMatchObject({ queued: 0, running: 0, cancelled: 33 });
  });
});
