import { describe, expect, it } from '@jest/globals';
import {
  BulkheadFullError,
  CancelledError,
  CircuitOpenError,
  QueueTimeoutError,
  RateLimitedError,
} from './errors.ts';
import { pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive } from './window.ts';
import { crowd, fail, held, now, statuses, succeed, takes } from './work.fixture.ts';

const CIRCUIT = {
  window: consecutive(2),
  openFor: '30s',
  halfOpen: { calls: 3, successes: 2, maxWait: '10s' },
} as const;

function closed() {
  const clock = new VirtualClock();
  const isFailure = (error: unknown) => (error as Error).message !== 'not found';
  return { clock, billing: pipeline({ name: 'billing', clock, isFailure }).breaker(CIRCUIT) };
}

async function open() {
  const made = closed();
  for (let i = 0; i < 2; i++) await made.billing.outcome(fail);
  expect(made.billing.circuit.state).toBe('open');
  return made;
}

async function halfOpen() {
  const made = await open();
  await made.clock.advance(30_000);
  expect(made.billing.circuit.state).toBe('half_open');
  return made;
}

const notFound = () => Promise.reject(new Error('not found'));

describe('traps 23: half-open', () => {
  it('23: one success in half-open does not close it, as many as were asked for do', async () => {
    const { billing } = await halfOpen();
    await billing.execute(succeed);
    expect(billing.circuit.state).toBe('half_open');
    await billing.execute(succeed);
    expect(billing.circuit.state).toBe('closed');
  });

  it('23: of a thousand callers only `calls` get through when the open time ends', async () => {
    const { billing, clock } = await halfOpen();
    const { calls, outcomes } = crowd(billing, 1_000);
    await clock.settle();
    expect(calls).toHaveLength(3);
    for (const { resolve } of calls) resolve();
    expect(await statuses(outcomes)).toEqual({ ok: 3, rejected: 997 });
  });

  it('23: of a thousand waiters in the queue only `calls` get through when the open time ends', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .breaker(CIRCUIT)
      .bulkhead({ max: 9, queue: 1_000 })
      .timeout('1s');
    const hung = crowd(billing, 9);
    const waiting = crowd(billing, 1_000);
    // The hung calls open it, and keep their places until they settle.
    await clock.advance(1_000);
    expect(billing.circuit.state).toBe('open');
    await clock.advance(30_000);
    expect(billing.counts()).toMatchObject({ queued: 1_000, abandoned: 9 });
    for (const { reject } of hung.calls) reject(new Error('late'));
    await clock.settle();
    expect(waiting.calls).toHaveLength(3);
    for (const { reject } of waiting.calls) reject(new Error('still down'));
    expect(await statuses(waiting.outcomes)).toEqual({ failed: 3, rejected: 997 });
  });

  it('23: probes that fail do not make room for more of them', async () => {
    const clock = new VirtualClock();
    const halfOpen = { calls: 5, successes: 1 };
    const billing = pipeline({ name: 'billing', clock }).breaker({ window: consecutive(1), halfOpen });
    await billing.outcome(fail);
    await clock.advance(30_000);
    const { calls } = crowd(billing, 5);
    for (const { reject } of calls.slice(1)) reject(new Error('still down'));
    await clock.settle();
    expect(billing.circuit.state).toBe('half_open');
    expect(await statuses(crowd(billing, 10).outcomes)).toEqual({ rejected: 10 });
    calls[0]!.reject(new Error('the last one'));
    await clock.settle();
    expect(billing.circuit.state).toBe('open');
  });

  it('23: it opens again as soon as the successes can no more be had', async () => {
    const { billing } = await halfOpen();
    await billing.outcome(fail);
    expect(billing.circuit.state).toBe('half_open');
    await billing.outcome(fail);
    expect(billing.circuit.state).toBe('open');
  });

  it('23: a hung probe hangs no caller: they are refused at once, and it ends at maxWait', async () => {
    const { billing, clock } = await halfOpen();
    const { calls } = crowd(billing, 3);
    expect(await now(clock, billing.outcome(succeed))).toMatchObject({ code: 'circuit_open' });
    await clock.advance(9_999);
    expect(billing.circuit.state).toBe('half_open');
    await clock.advance(1);
    expect(billing.circuit.state).toBe('open');
    await clock.advance(30_000);
    expect(await now(clock, billing.outcome(succeed))).toMatchObject({ status: 'ok' });
    // The hung probes of the period before count for nothing when they come back.
    for (const { resolve } of calls) resolve();
    await clock.settle();
    expect(billing.circuit.state).toBe('half_open');
  });

  it('23: a stale success of the closed era does not close it', async () => {
    const { billing, clock } = closed();
    const stale = crowd(billing, 5);
    for (let i = 0; i < 2; i++) await billing.outcome(fail);
    await clock.advance(30_000);
    for (const { resolve } of stale.calls) resolve();
    expect(await statuses(stale.outcomes)).toEqual({ ok: 5 });
    expect(billing.circuit.state).toBe('half_open');
    expect(crowd(billing, 5).calls).toHaveLength(3);
  });

  it('23: a stale failure of the closed era does not open it again', async () => {
    const { billing, clock } = closed();
    const stale = crowd(billing, 9);
    for (let i = 0; i < 2; i++) await billing.outcome(fail);
    await clock.advance(30_000);
    for (const { reject } of stale.calls.slice(0, 5)) reject(new Error('late'));
    await clock.settle();
    expect(billing.circuit.state).toBe('half_open');
    for (let i = 0; i < 2; i++) await billing.execute(succeed);
    for (const { reject } of stale.calls.slice(5)) reject(new Error('later still'));
    await clock.settle();
    expect(billing.circuit.state).toBe('closed');
  });

  it('23: a stale cancel of the closed era makes no room for another probe', async () => {
    const { billing, clock } = closed();
    const cancel = new AbortController();
    for (let i = 0; i < 5; i++) void billing.outcome(held().work, { signal: cancel.signal });
    for (let i = 0; i < 2; i++) await billing.outcome(fail);
    await clock.advance(30_000);
    expect(crowd(billing, 9).calls).toHaveLength(3);
    cancel.abort();
    await clock.settle();
    expect(billing.counts().cancelled).toBe(5);
    expect(crowd(billing, 9).calls).toHaveLength(0);
  });

  it('23: a probe whose caller cancels does not close it and gives its permit back', async () => {
    const { billing, clock } = await halfOpen();
    for (let i = 0; i < 10; i++) {
      const cancel = new AbortController();
      const outcome = billing.outcome(held().work, { signal: cancel.signal });
      cancel.abort();
      expect(await outcome).toMatchObject({ status: 'cancelled' });
    }
    expect(billing.circuit.state).toBe('half_open');
    const { calls } = crowd(billing, 5);
    await clock.settle();
    expect(calls).toHaveLength(3);
  });

  it('23: a probe that is filtered does not close it and gives its permit back', async () => {
    const { billing } = await halfOpen();
    for (let i = 0; i < 10; i++) expect(await billing.outcome(notFound)).toMatchObject({ status: 'ignored' });
    expect(billing.circuit.state).toBe('half_open');
    expect(crowd(billing, 5).calls).toHaveLength(3);
  });

  it('23: a probe that is rejected further in gives its permit back', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).breaker(CIRCUIT).bulkhead({ max: 2 });
    const { calls } = crowd(billing, 2);
    for (const { reject } of calls) reject(new Error('down'));
    await clock.advance(30_000);
    const probes = crowd(billing, 2);
    for (let i = 0; i < 10; i++) {
      expect(await billing.outcome(succeed)).toMatchObject({ code: 'bulkhead_full' });
    }
    for (const { resolve } of probes.calls) resolve();
    await clock.settle();
    expect(billing.circuit.state).toBe('closed');
  });

  it('23: a probe that is slow has not shown that the other side is well', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).breaker({
      slowAfter: '1s',
      minCalls: 1,
      halfOpen: { calls: 3, successes: 2 },
    });
    await billing.outcome(fail);
    await clock.advance(30_000);
    void billing.outcome(takes(clock, 1_001));
    void billing.outcome(takes(clock, 1_000));
    await clock.advance(1_001);
    expect(billing.circuit.state).toBe('half_open');
    void billing.outcome(takes(clock, 2_000));
    await clock.advance(2_000);
    expect(billing.circuit.state).toBe('open');
  });
});

describe('traps 24: what is no failure', () => {
  it('24: a cancel is no failure, whether the work heeds it or not', async () => {
    const { billing, clock } = closed();
    for (let i = 0; i < 20; i++) {
      const cancel = new AbortController();
      const { calls, work } = held();
      const outcome = billing.outcome(work, { signal: cancel.signal });
      cancel.abort();
      if (i % 2) calls[0]!.reject(new Error('torn down'));
      expect(await outcome).toMatchObject({ status: 'cancelled' });
      calls[0]!.reject(new Error('late'));
    }
    await clock.settle();
    expect(billing.circuit.state).toBe('closed');
    expect(billing.counts()).toMatchObject({ cancelled: 20, failed: 0 });
  });

  it('24: an AbortError of the work is a cancel, without any signal, too', async () => {
    const { billing } = closed();
    const aborted = () => Promise.reject(new DOMException('gone', 'AbortError'));
    for (let i = 0; i < 10; i++) await expect(billing.execute(aborted)).rejects.toThrow('gone');
    expect(billing.counts()).toMatchObject({ cancelled: 10, failed: 0 });
    expect(billing.circuit.state).toBe('closed');
  });

  it("24: a cancel is not reported as a timeout, and carries the caller's reason", async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).timeout('1s');
    const cancel = new AbortController();
    const { calls, work } = held();
    const call = billing.execute(work, { signal: cancel.signal });
    const reason = new Error('the user closed the page');
    const { signal } = calls[0]!.ctx;
    cancel.abort(reason);
    await expect(call).rejects.toBeInstanceOf(CancelledError);
    await expect(call).rejects.toMatchObject({ name: 'AbortError', code: 'cancelled', cause: reason });
    expect(signal.reason).toBeInstanceOf(CancelledError);
    await clock.advance(1_000);
    expect(billing.counts()).toMatchObject({ cancelled: 1, timeouts: 0, failed: 0 });
  });

  it('24: own rejections do not trip the breaker', async () => {
    const clock = new VirtualClock();
    const base = pipeline({ name: 'billing', clock }).breaker({ window: consecutive(1) });
    const full = base.bulkhead({ max: 1 });
    const queue = base.bulkhead({ max: 1, queue: 9, queueTimeout: '1s' });
    const limited = base.rateLimit({ limit: 1, per: '1h' });
    for (const [through, type] of [
      [full, BulkheadFullError],
      [queue, QueueTimeoutError],
      [limited, RateLimitedError],
    ] as const) {
      const { outcomes } = crowd(through, 10);
      await clock.advance(1_000);
      const refused = await Promise.all(outcomes.slice(1));
      for (const outcome of refused) {
        expect(outcome).toMatchObject({ status: 'rejected', error: expect.any(type) });
      }
      expect(through.circuit.state).toBe('closed');
    }
  });

  it('24: the rejection of a nested pipeline does not trip the breaker', async () => {
    const { billing } = closed();
    const inner = pipeline('inner').breaker();
    inner.circuit.isolate();
    for (let i = 0; i < 10; i++) {
      const call = billing.execute((ctx) => inner.execute(succeed, ctx));
      await expect(call).rejects.toBeInstanceOf(CircuitOpenError);
    }
    expect(billing.circuit.state).toBe('closed');
    expect(billing.counts()).toMatchObject({ rejected: 10, failed: 0 });
  });
});
