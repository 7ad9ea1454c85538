import { describe, expect, it, jest } from '@jest/globals';
import { HedgeLostError } from './errors.ts';
import { pipeline } from './pipeline.ts';
import type { HedgeOptions } from './plan.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive } from './window.ts';
import { fail, held, now, succeed } from './work.fixture.ts';

function hedged(options: Partial<HedgeOptions> = {}) {
  const clock = new VirtualClock();
  const base = pipeline({ name: 'billing', clock });
  const billing = base.hedge({ after: '50ms', idempotent: true, ...options });
  return { clock, billing, ...held() };
}

describe('hedge', () => {
  it('starts another attempt when the first has not answered for a while; the first value wins', async () => {
    const { clock, billing, calls, work } = hedged();
    const events: unknown[] = [];
    billing.on('hedge', (event) => events.push(event));
    const outcome = billing.outcome(work);
    await clock.advance(49);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    expect(calls.map(({ ctx }) => ctx.attempt)).toEqual([1, 2]);
    calls[1]!.resolve('second');
    expect(await outcome).toEqual({ status: 'ok', value: 'second' });
    expect(events).toEqual([{ pipeline: 'billing', attempt: 2 }]);
    expect(billing.counts()).toMatchObject({ hedges: 1, attempts: 2, ok: 1, calls: 1 });
  });

  it('makes no second attempt when the first is in time, whatever it ends with', async () => {
    const { clock, billing } = hedged();
    const work = jest.fn(succeed);
    await billing.outcome(work);
    expect(await billing.outcome(fail)).toMatchObject({ status: 'failed' });
    await clock.advance(1_000);
    expect(work).toHaveBeenCalledTimes(1);
    expect(billing.counts().hedges).toBe(0);
  });

  it('aborts those that have lost, with a reason of its own', async () => {
    const { clock, billing, calls, work } = hedged({ max: 2 });
    const outcome = billing.outcome(work);
    await clock.advance(100);
    const signals = calls.map(({ ctx }) => ctx.signal);
    calls[1]!.resolve('second');
    await outcome;
    await clock.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, true]);
    expect(signals[0]!.reason).toBeInstanceOf(HedgeLostError);
    expect(billing.counts()).toMatchObject({ abandoned: 2 });
    calls[0]!.resolve('late');
    calls[2]!.reject(new Error('late'));
    await clock.settle();
    expect(billing.counts()).toMatchObject({ abandoned: 0, running: 0, ok: 1 });
  });

  it('waits for those that are still out when one fails, and fails when all have', async () => {
    const { clock, billing, calls, work } = hedged();
    const outcome = billing.outcome(work);
    await clock.advance(50);
    calls[0]!.reject(new Error('first'));
    expect(await now(clock, outcome)).toBeUndefined();
    calls[1]!.reject(new Error('second'));
    expect(await outcome).toMatchObject({ status: 'failed', error: new Error('second') });
  });

  it('has at most so many more attempts', async () => {
    const { clock, billing, calls, work } = hedged({ max: 3 });
    void billing.outcome(work);
    await clock.advance(10_000);
    expect(calls).toHaveLength(4);
    expect(clock.pending).toBe(0);
  });

  it('wants to know that the call is idempotent', async () => {
    const { clock, billing, calls, work } = hedged({ idempotent: false });
    void billing.outcome(work);
    await clock.advance(1_000);
    expect(calls).toHaveLength(1);
    void billing.outcome(work, { idempotencyKey: 'order-1' });
    await clock.advance(1_000);
    expect(calls.slice(1).map(({ ctx }) => ctx.idempotencyKey)).toEqual(['order-1', 'order-1']);
  });

  it('is bounded by a budget, on by default', async () => {
    const { clock, billing, work } = hedged();
    for (let i = 0; i < 1_000; i++) void billing.outcome(work);
    await clock.advance(1_000);
    expect(billing.counts().hedges).toBe(100);
    const unbounded = hedged({ budget: false });
    for (let i = 0; i < 1_000; i++) void unbounded.billing.outcome(unbounded.work);
    await unbounded.clock.advance(1_000);
    expect(unbounded.billing.counts().hedges).toBe(1_000);
  });

  it('does not outlive its caller: all attempts end, and no other one starts', async () => {
    const { clock, billing, calls, work } = hedged({ max: 5 });
    const cancel = new AbortController();
    const outcome = billing.outcome(work, { signal: cancel.signal });
    await clock.advance(50);
    const signals = calls.map(({ ctx }) => ctx.signal);
    cancel.abort();
    expect(await outcome).toMatchObject({ status: 'cancelled' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    await clock.advance(10_000);
    expect(calls).toHaveLength(2);
    expect(billing.counts()).toMatchObject({ cancelled: 1, abandoned: 2 });
  });

  it('asks the breaker for each attempt; losing is neither success nor failure', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .hedge({ after: '50ms', idempotent: true })
      .breaker({ window: consecutive(1) });
    const { calls, work } = held();
    const outcome = billing.outcome(work);
    await clock.advance(50);
    calls[1]!.resolve('second');
    await outcome;
    calls[0]!.reject(new Error('aborted'));
    await clock.settle();
    expect(billing.circuit.state).toBe('closed');
  });

  it('goes on without the attempt that was not let in', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .hedge({ after: '50ms', idempotent: true })
      .bulkhead({ max: 1 });
    const { calls, work } = held();
    const outcome = billing.outcome(work);
    await clock.advance(50);
    expect(billing.counts().rejections.bulkhead_full).toBe(1);
    calls[0]!.reject(new Error('down'));
    expect(await outcome).toMatchObject({ status: 'failed', error: new Error('down') });
  });

  it('starts none for a caller who leaves in the very moment in which it is due', async () => {
    const timers: (() => void)[] = [];
    const clock = {
      now: () => 50 * timers.length,
      setTimer: (run: () => void) => timers.push(run),
      clearTimer() {},
    };
    const billing = pipeline({ name: 'billing', clock }).hedge({ after: 50, idempotent: true });
    const cancel = new AbortController();
    const { calls, work } = held();
    const outcome = billing.outcome(work, { signal: cancel.signal });
    timers[0]!();
    cancel.abort();
    expect(await outcome).toMatchObject({ status: 'cancelled' });
    expect(calls).toHaveLength(1);
    // The negative control: it does start when the caller stays.
    void billing.outcome(work);
    timers[1]!();
    await Promise.resolve();
    expect(calls).toHaveLength(3);
  });

  it('ends with what became of an attempt that was made, not with the rejection of one that was not', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .hedge({ after: '50ms', idempotent: true })
      .breaker({ window: consecutive(1) })
      .bulkhead({ max: 1, queue: 1 });
    const { calls, work } = held();
    const outcome = billing.outcome(work);
    await clock.advance(50);
    calls[0]!.reject(new Error('down'));
    expect(await outcome).toMatchObject({ status: 'failed', error: new Error('down') });
    expect(billing.counts().rejections.circuit_open).toBe(1);
  });

  it('hedges each round of a retry anew', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock, random: () => 0 })
      .retry({ attempts: 2, idempotent: true })
      .hedge({ after: '50ms', idempotent: true });
    const { calls, work } = held();
    const outcome = billing.outcome(work);
    await clock.advance(50);
    for (const { reject } of calls) reject(new Error('down'));
    await clock.advance(50);
    expect(calls.map(({ ctx }) => ctx.attempt)).toEqual([1, 2, 3, 4]);
    calls[3]!.resolve('fourth');
    expect(await outcome).toEqual({ status: 'ok', value: 'fourth' });
  });
});
