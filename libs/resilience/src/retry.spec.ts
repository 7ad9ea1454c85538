import { describe, expect, it, jest } from '@jest/globals';
import { constant } from './backoff.ts';
import { RetryBudget } from './budget.ts';
import type { CallContext, CallOptions } from './context.ts';
import { pipeline } from './pipeline.ts';
import type { PipelineOptions, RetryOptions } from './plan.ts';
import { VirtualClock } from './testing/index.ts';
import { fail, held, succeed } from './work.fixture.ts';

function retrying(options: Partial<RetryOptions> = {}, common: Partial<PipelineOptions> = {}) {
  const clock = new VirtualClock();
  const billing = pipeline({ name: 'billing', clock, random: () => 0.5, ...common }).retry({
    attempts: 3,
    idempotent: true,
    ...options,
  });
  const delays: number[] = [];
  const denied: string[] = [];
  billing.on('retry', ({ delayMs }) => delays.push(delayMs));
  billing.on('retryDenied', ({ reason }) => denied.push(reason));
  /** The outcome of one call, however long that takes. */
  const call = async (work: (ctx: CallContext) => unknown, callOptions: CallOptions = {}) => {
    const outcome = billing.outcome(work, callOptions);
    await clock.advance(10_000_000);
    return outcome;
  };
  return { clock, billing, delays, denied, call };
}

/** Fails so many times, then answers. */
const failing = (times: number) =>
  jest.fn((ctx: CallContext) => (times-- > 0 ? fail() : Promise.resolve(ctx.attempt)));

const withHeader = (value: string) =>
  Object.assign(new Error('busy'), { response: { headers: new Headers({ 'retry-after': value }) } });

describe('retry', () => {
  it('makes a call again until it succeeds, and tells each attempt its number', async () => {
    const { call, billing, delays } = retrying();
    const work = failing(2);
    expect(await call(work)).toEqual({ status: 'ok', value: 3 });
    expect(work.mock.calls.map(([ctx]) => ctx.attempt)).toEqual([1, 2, 3]);
    expect(delays).toEqual([100, 200]);
    expect(billing.counts()).toMatchObject({ calls: 1, ok: 1, failed: 0, attempts: 3, retries: 2 });
  });

  it('gives up after so many attempts with the last error', async () => {
    const { call, billing } = retrying();
    let number = 0;
    const outcome = await call(() => Promise.reject(new Error(`failure ${++number}`)));
    expect(outcome).toMatchObject({ status: 'failed', error: new Error('failure 3') });
    expect(billing.counts()).toMatchObject({ calls: 1, failed: 1, attempts: 3, retries: 2 });
  });

  it('does the same on the long way: with a signal, a deadline or a time-out', async () => {
    const { clock } = retrying();
    const cancel = new AbortController();
    const base = pipeline({ name: 'billing', clock }).deadline('1h');
    const billing = base.retry({ attempts: 3, idempotent: true }).timeout('1s');
    const hangs = jest.fn((ctx: CallContext) => (ctx.attempt < 3 ? held().work(ctx) : 'up'));
    const outcome = billing.outcome(hangs, { signal: cancel.signal });
    await clock.advance(60_000);
    expect(await outcome).toEqual({ status: 'ok', value: 'up' });
    expect(billing.counts()).toMatchObject({ timeouts: 2, abandoned: 2, retries: 2 });
  });

  it('retries only what failed: no cancel, no rejection, nothing that is ignored', async () => {
    const { call, billing } = retrying(
      {},
      { isFailure: (error) => (error as Error).message !== 'not found' },
    );
    const inner = pipeline('inner').breaker();
    inner.circuit.isolate();
    for (const [work, status] of [
      [() => inner.execute(succeed), 'rejected'],
      [() => Promise.reject(new DOMException('gone', 'AbortError')), 'cancelled'],
      [() => Promise.reject(new Error('not found')), 'ignored'],
    ] as const) {
      expect(await call(work)).toMatchObject({ status });
    }
    expect(billing.counts()).toMatchObject({ attempts: 3, retries: 0 });
  });

  it('retries what `retryOn` says, by error and attempt', async () => {
    const retryOn = jest.fn(
      (error: unknown, attempt: number) => (error as Error).message === 'down' && attempt < 2,
    );
    const { call, billing } = retrying({ retryOn });
    await call(fail);
    expect(retryOn.mock.calls).toEqual([
      [new Error('down'), 1],
      [new Error('down'), 2],
    ]);
    expect(billing.counts()).toMatchObject({ attempts: 2, retriesDenied: { budget: 0 } });
  });

  it('wants to know that the call is idempotent', async () => {
    const { call, denied, billing } = retrying({ idempotent: false });
    await call(fail);
    expect(denied).toEqual(['not_idempotent']);
    expect(billing.counts()).toMatchObject({ attempts: 1, retriesDenied: { not_idempotent: 1 } });
    const keys: unknown[] = [];
    await call((ctx) => (keys.push(ctx.idempotencyKey), fail()), { idempotencyKey: 'order-1' });
    expect(keys).toEqual(['order-1', 'order-1', 'order-1']);
    await call(fail, { idempotent: true });
    expect(billing.counts().attempts).toBe(7);
  });

  it('tells the call whether it is idempotent', async () => {
    const told: boolean[] = [];
    const { call, billing } = retrying({ idempotent: false });
    const note = (ctx: CallContext) => told.push(ctx.idempotent);
    for (const options of [{}, { idempotent: true }, { idempotencyKey: 'k' }]) {
      await call(note, options);
      await billing.execute(note, { ...options, signal: new AbortController().signal });
    }
    expect(told).toEqual([false, false, true, true, true, true]);
  });
});

describe('retry budget of a pipeline', () => {
  it('is on by default: a fifth of the calls, and ten per second', async () => {
    const { clock, billing } = retrying({ attempts: 4, backoff: constant(0), jitter: 'none' });
    for (let i = 0; i < 1_000; i++) void billing.outcome(fail);
    await clock.advance(10);
    // Ten to begin with; of what a thousand calls earn, a bucket holds a hundred.
    expect(billing.counts().retries).toBeGreaterThanOrEqual(100);
    expect(billing.counts().retries).toBeLessThanOrEqual(111);
    expect(billing.counts().retriesDenied.budget).toBeGreaterThan(900);
    const before = billing.counts().retries;
    await clock.advance(1_000);
    for (let i = 0; i < 5; i++) void billing.outcome(fail);
    await clock.advance(10);
    expect(billing.counts().retries - before).toBe(11);
  });

  it('is bought back by calls on either way: direct, or with a signal', async () => {
    for (const signal of [undefined, new AbortController().signal]) {
      const { call, billing } = retrying({ attempts: 2, budget: { ratio: 0.5, perSecond: 0 } });
      for (let i = 0; i < 10; i++) await call(fail, { signal });
      expect(billing.counts()).toMatchObject({ calls: 10, retries: 5, retriesDenied: { budget: 5 } });
    }
  });

  it('bounds nothing when it is switched off', async () => {
    const { clock, billing } = retrying({ attempts: 4, budget: false });
    for (let i = 0; i < 1_000; i++) void billing.outcome(fail);
    await clock.advance(60_000);
    expect(billing.counts().retries).toBe(3_000);
  });

  it('may be shared by pipelines', async () => {
    const clock = new VirtualClock();
    const budget = new RetryBudget({ ratio: 0, perSecond: 2 }, clock);
    const options = { attempts: 2, idempotent: true, budget, backoff: constant(0) };
    const [one, other] = ['one', 'other'].map((name) => pipeline({ name, clock }).retry(options));
    for (let i = 0; i < 5; i++) for (const each of [one!, other!]) void each.outcome(fail);
    await clock.advance(1);
    expect(one!.counts().retries + other!.counts().retries).toBe(2);
  });
});

describe('Retry-After', () => {
  it('is waited for, and jitter added, so that those who were told the same do not come at once', async () => {
    const { call, delays } = retrying();
    await call(({ attempt }) => (attempt === 1 ? Promise.reject(withHeader('7')) : 'up'));
    expect(delays).toEqual([7_100]);
  });

  it('is read from an error, its headers or its cause', async () => {
    for (const error of [
      Object.assign(new Error('busy'), { retryAfterMs: 7_000 }),
      Object.assign(new Error('busy'), { headers: { 'Retry-After': '7' } }),
      new Error('wrapped', { cause: withHeader('7') }),
    ]) {
      const { call, delays } = retrying();
      await call(({ attempt }) => (attempt === 1 ? Promise.reject(error) : 'up'));
      expect(delays).toEqual([7_100]);
    }
  });

  it('is read from the response of fetch that is a failure by its status', async () => {
    const busy = new Response('later', { status: 503, headers: { 'retry-after': '7' } });
    const isFailureResult = (value: unknown) => (value as Response).status >= 500;
    const { call, delays } = retrying({}, { isFailureResult });
    const outcome = await call(({ attempt }) => (attempt === 1 ? busy : new Response('here')));
    expect(outcome).toMatchObject({ status: 'ok', value: { status: 200 } });
    expect(delays).toEqual([7_100]);
  });

  it('that is too long ends the call at once', async () => {
    const { call, delays, denied } = retrying({ maxRetryAfter: '5s' });
    expect(await call(() => Promise.reject(withHeader('6')))).toMatchObject({ error: new Error('busy') });
    expect(denied).toEqual(['retry_after']);
    expect(delays).toEqual([]);
    const patient = retrying({ maxRetryAfter: '6s' });
    await patient.call(({ attempt }) => (attempt === 1 ? Promise.reject(withHeader('6')) : 'up'));
    expect(patient.delays).toEqual([6_100]);
    const byDefault = retrying();
    await byDefault.call(() => Promise.reject(withHeader('31')));
    expect(byDefault.denied).toEqual(['retry_after']);
  });

  it('may be read otherwise, or not at all', async () => {
    const { call, delays } = retrying({ retryAfter: (error) => (error as Error).message.length * 1_000 });
    await call(({ attempt }) => (attempt === 1 ? Promise.reject(withHeader('9')) : 'up'));
    expect(delays).toEqual([4_100]);
  });
});

describe('a wait that ends in vain', () => {
  it('is not begun: no retry after the deadline', async () => {
    const { clock } = retrying();
    const billing = pipeline({ name: 'billing', clock })
      .deadline('1s')
      .retry({ attempts: 5, idempotent: true, backoff: constant('400ms'), jitter: 'none' });
    const outcome = billing.outcome(fail);
    await clock.advance(800);
    expect(await outcome).toMatchObject({ status: 'failed', error: new Error('down') });
    expect(billing.counts()).toMatchObject({ attempts: 3, deadlines: 0, retriesDenied: { deadline: 1 } });
  });
});
