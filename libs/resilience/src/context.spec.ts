import { describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { constant } from './backoff.ts';
import { pipeline, type Pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive } from './window.ts';
import { fail, held } from './work.fixture.ts';

const request = new AsyncLocalStorage<string>();

/** Two calls of different requests, the contexts that their attempts saw, and what they saw themselves afterwards. */
async function seen(build: (base: Pipeline) => Pipeline<unknown>, attempts = 2) {
  const clock = new VirtualClock();
  const through = build(pipeline({ name: 'billing', clock, random: () => 0.5 }));
  const contexts: Record<string, unknown[]> = { one: [], other: [] };
  const call = (name: 'one' | 'other') =>
    request.run(name, async () => {
      await through.outcome(async (ctx) => {
        contexts[name]!.push(request.getStore());
        return ctx.attempt < attempts ? fail() : 'up';
      });
      contexts[name]!.push(`after: ${request.getStore()}`);
    });
  const calls = [call('one'), call('other')];
  await clock.advance(60_000);
  await Promise.all(calls);
  return contexts;
}

const twice = { attempts: 2, idempotent: true, backoff: constant('1s') } as const;

describe("the caller's AsyncLocalStorage context", () => {
  it('is kept by the short way', async () => {
    expect(await seen((base) => base, 1)).toEqual({
      one: ['one', 'after: one'],
      other: ['other', 'after: other'],
    });
  });

  it.each<[string, (base: Pipeline) => Pipeline<unknown>]>([
    ['back-off', (base) => base.retry(twice)],
    ['back-off, with a deadline', (base) => base.deadline('1m').retry(twice).timeout('1s')],
    ['a place in the queue', (base) => base.retry(twice).bulkhead({ max: 1, queue: 9 })],
    [
      'a turn in the rate limit',
      (base) => base.retry(twice).rateLimit({ limit: 1, per: '2s', maxWait: '30s' }),
    ],
    ['a round of hedges', (base) => base.retry(twice).hedge({ after: '50ms', idempotent: true })],
  ])('is kept after %s', async (_, build) => {
    expect(await seen(build)).toEqual({
      one: ['one', 'one', 'after: one'],
      other: ['other', 'other', 'after: other'],
    });
  });

  it('is kept after a time-out, and by an attempt that is made in parallel', async () => {
    const clock = new VirtualClock();
    const hung = held();
    const billing = pipeline({ name: 'billing', clock })
      .fallback(() => request.getStore())
      .retry({ ...twice, jitter: 'none' })
      .hedge({ after: '50ms', idempotent: true })
      .timeout('100ms');
    const contexts: unknown[] = [];
    const call = (name: string) =>
      request.run(name, async () => {
        const answer = await billing.execute<unknown>((ctx) => {
          contexts.push([name, request.getStore()]);
          return hung.work(ctx);
        });
        contexts.push([name, answer], [name, request.getStore()]);
      });
    const calls = ['one', 'other'].map(call);
    await clock.advance(60_000);
    await Promise.all(calls);
    // Two rounds of two attempts, the fallback and what follows, for each of two callers.
    expect(contexts).toHaveLength(12);
    for (const [own, found] of contexts as [string, unknown][]) expect(found).toBe(own);
  });

  it('is kept after a deadline, a cancel and a refusal', async () => {
    const clock = new VirtualClock();
    const cancel = new AbortController();
    const open = pipeline({ name: 'open', clock }).breaker({ window: consecutive(1) });
    open.circuit.isolate();
    const slow = pipeline({ name: 'slow', clock }).deadline('1s');
    const endings = [
      () => open.execute(fail),
      () => slow.execute(held().work),
      () => slow.execute(held().work, { signal: cancel.signal }),
    ].map((make, i) =>
      request.run(`caller ${i}`, async () => {
        await make().catch(() => undefined);
        return request.getStore();
      }),
    );
    request.run('a stranger', () => cancel.abort());
    await request.run('another stranger', () => clock.advance(2_000));
    expect(await Promise.all(endings)).toEqual(['caller 0', 'caller 1', 'caller 2']);
  });
});
