import { describe, expect, it, jest } from '@jest/globals';
import { constant } from './backoff.ts';
import type { CallContext } from './context.ts';
import { CancelledError, DeadlineExceededError, TimeoutError } from './errors.ts';
import { pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive } from './window.ts';
import { crowd, fail, held, now, succeed, takes } from './work.fixture.ts';

const base = () => {
  const clock = new VirtualClock(1_000);
  return { clock, billing: pipeline({ name: 'billing', clock }) };
};

describe('time-out of an attempt', () => {
  it('ends it with an error that says how long it had, and aborts its signal with that', async () => {
    const { clock, billing } = base();
    const { calls, outcomes } = crowd(billing.timeout('800ms'), 1);
    const { signal } = calls[0]!.ctx;
    await clock.advance(799);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    const outcome = await outcomes[0]!;
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'timeout', timeoutMs: 800 } });
    expect(signal.reason).toBeInstanceOf(TimeoutError);
    expect(outcome).toMatchObject({ error: signal.reason });
  });

  it('lets go of a call that settles in time: no abort later', async () => {
    const { clock, billing } = base();
    const { calls, outcomes } = crowd(billing.timeout('800ms'), 1);
    const aborted = jest.fn();
    calls[0]!.ctx.signal.addEventListener('abort', aborted);
    calls[0]!.resolve('up');
    expect(await outcomes[0]).toEqual({ status: 'ok', value: 'up' });
    await clock.advance(10_000);
    expect(aborted).not.toHaveBeenCalled();
  });

  it('aborts a signal that is first read after it', async () => {
    const { clock, billing } = base();
    const { calls } = crowd(billing.timeout('800ms'), 1);
    await clock.advance(800);
    expect(calls[0]!.ctx.signal.aborted).toBe(true);
    expect(calls[0]!.ctx.signal).toBe(calls[0]!.ctx.signal);
    expect(calls[0]!.ctx.remainingMs).toBe(0);
  });

  it('is counted as abandoned until its work settles, whatever it settles with', async () => {
    const { clock, billing } = base();
    const timed = billing.timeout('800ms');
    const { calls } = crowd(timed, 3);
    await clock.advance(800);
    expect(timed.counts()).toMatchObject({ abandoned: 3, running: 3, timeouts: 3, failed: 3 });
    calls[0]!.resolve();
    calls[1]!.reject(new Error('late'));
    await clock.settle();
    expect(timed.counts()).toMatchObject({ abandoned: 1, running: 1, timeouts: 3, failed: 3, ok: 0 });
  });

  it('begins with each attempt anew', async () => {
    const { clock, billing } = base();
    const work = jest.fn((ctx: CallContext) => (ctx.attempt === 1 ? held().work(ctx) : takes(clock, 799)()));
    const retry = { attempts: 2, idempotent: true, backoff: constant('700ms'), jitter: 'none' } as const;
    const call = billing.retry(retry).timeout('800ms').execute(work);
    await clock.advance(800 + 700 + 799);
    expect(await now(clock, call)).toBe('up');
  });
});

describe('deadline', () => {
  it('ends the whole call, in whichever attempt it is', async () => {
    const { clock, billing } = base();
    const work = jest.fn((ctx: CallContext) => (ctx.attempt < 3 ? fail() : held().work(ctx)));
    const retrying = billing
      .deadline('2s')
      .retry({ attempts: 3, idempotent: true, backoff: constant('500ms'), jitter: 'none' });
    const outcome = retrying.outcome(work);
    await clock.advance(2_000);
    expect(await outcome).toMatchObject({ status: 'failed', error: expect.any(DeadlineExceededError) });
    const { signal } = work.mock.calls[2]![0];
    expect(signal.reason).toBeInstanceOf(DeadlineExceededError);
    expect(retrying.counts()).toMatchObject({ deadlines: 1, attempts: 3, abandoned: 1 });
  });

  it('ends a call in the queue, which is never made', async () => {
    const { clock, billing } = base();
    const through = billing.deadline('2s').bulkhead({ max: 1, queue: 1 });
    const { calls, work } = held();
    void through.outcome(work);
    await clock.advance(500);
    const queued = through.outcome(work);
    await clock.advance(1_999);
    expect(through.counts().queued).toBe(1);
    await clock.advance(1);
    expect(await queued).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } });
    for (const { resolve } of calls) resolve();
    await clock.settle();
    expect(calls).toHaveLength(1);
    expect(through.counts()).toMatchObject({ queued: 0, running: 0 });
  });

  it('ends a call in its back-off, when it comes earlier than that seemed to end', async () => {
    const { clock, billing } = base();
    const retry = { attempts: 2, idempotent: true, backoff: constant('1999ms'), jitter: 'none' } as const;
    const outcome = billing.deadline('2s').retry(retry).outcome(fail);
    await clock.settle();
    // The event loop was blocked: back-off and deadline are due at once, and the deadline comes first.
    clock.step(2_000);
    expect(clock.pending).toBe(2);
    await clock.advance(0);
    expect(await outcome).toMatchObject({ status: 'failed' });
    expect(clock.pending).toBe(0);
  });

  it('is a failure of the other side for the breaker when it is our own', async () => {
    const { clock, billing } = base();
    const through = billing.deadline('2s').breaker({ window: consecutive(1) });
    void through.outcome(held().work);
    await clock.advance(2_000);
    expect(through.circuit.state).toBe('open');
  });

  it('is the caller’s and no failure when the caller has less time', async () => {
    const { clock, billing } = base();
    const through = billing.deadline('2s').breaker({ window: consecutive(1) });
    const outcome = through.outcome(held().work, { deadlineAt: clock.now() + 500 });
    await clock.advance(500);
    expect(await outcome).toMatchObject({
      status: 'cancelled',
      error: { code: 'deadline_exceeded', deadlineMs: 500 },
    });
    expect(through.circuit.state).toBe('closed');
  });

  it('that has passed already: the call is not made', async () => {
    const { clock, billing } = base();
    const work = jest.fn(succeed);
    const outcome = await billing.outcome(work, { deadlineAt: clock.now() });
    expect(outcome).toMatchObject({ status: 'cancelled', error: expect.any(DeadlineExceededError) });
    expect(work).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind for a call that ended in time', async () => {
    const { clock, billing } = base();
    for (let i = 0; i < 100; i++) await billing.execute(succeed, { deadlineAt: clock.now() + 500 });
    expect(clock.pending).toBe(0);
  });

  it('tells the work what is left, of the call and of the attempt', async () => {
    const { clock, billing } = base();
    const through = billing.deadline('2s').timeout('1500ms');
    const { calls, work } = held();
    const call = through.execute(work);
    const { ctx } = calls[0]!;
    expect([ctx.remainingMs, ctx.deadlineAt]).toEqual([1_500, 3_000]);
    await clock.advance(600);
    expect(ctx.remainingMs).toBe(900);
    calls[0]!.resolve();
    await call;
    const bare = held();
    void billing.execute(bare.work);
    void billing.execute(bare.work, { signal: new AbortController().signal });
    for (const { ctx } of bare.calls)
      expect([ctx.remainingMs, ctx.deadlineAt]).toEqual([Infinity, undefined]);
  });
});

describe('work that fails after it was given up', () => {
  it('leaves no rejection behind that nobody handles', async () => {
    const { clock, billing } = base();
    const cancel = new AbortController();
    const hedging = billing.hedge({ after: '50ms', idempotent: true, budget: false }).timeout('1s');
    const { calls, work } = held();
    for (const through of [billing.timeout('1s'), billing.deadline('1s'), hedging]) {
      void through.outcome(work, { signal: cancel.signal });
      void through.outcome(work);
    }
    await clock.advance(500);
    cancel.abort();
    await clock.advance(1_000);
    expect(calls).toHaveLength(8);
    for (const { reject } of calls) reject(new Error('late'));
    // The runner fails a test that leaves one.
    await clock.settle();
    expect(hedging.counts()).toMatchObject({ abandoned: 0, running: 0 });
  });
});

describe('a nested call', () => {
  it('gets the deadline, the signal and the key of the call around it, as its context', async () => {
    const { clock, billing } = base();
    const outer = billing
      .deadline('2s')
      .retry({ attempts: 3, idempotent: false, backoff: constant('500ms'), jitter: 'none' });
    const inner = pipeline({ name: 'inner', clock }).deadline('30s');
    const { calls, work } = held();
    const outcome = outer.outcome((ctx) => (ctx.attempt === 1 ? fail() : inner.execute(work, ctx)), {
      idempotencyKey: 'order-1',
    });
    await clock.advance(500);
    const { ctx } = calls[0]!;
    expect([ctx.deadlineAt, ctx.remainingMs, ctx.idempotencyKey]).toEqual([3_000, 1_500, 'order-1']);
    await clock.advance(1_500);
    expect(await outcome).toMatchObject({ error: { code: 'deadline_exceeded' } });
    expect(ctx.signal.aborted).toBe(true);
  });

  it('is cancelled by the time-out of the attempt around it, and has that for its cause', async () => {
    const { clock, billing } = base();
    const { calls, work } = held();
    const inner = pipeline({ name: 'inner', clock }).breaker({ window: consecutive(1) });
    const outcome = billing.timeout('1s').outcome((ctx) => inner.execute(work, ctx));
    await clock.advance(1_000);
    expect(await outcome).toMatchObject({ error: { code: 'timeout', pipeline: 'billing' } });
    const { reason } = calls[0]!.ctx.signal;
    expect(reason).toBeInstanceOf(CancelledError);
    expect(reason.cause).toBeInstanceOf(TimeoutError);
    expect(inner.circuit.state).toBe('closed');
    expect(inner.counts().cancelled).toBe(1);
  });
});

describe('a caller who gives up', () => {
  const reason = new Error('the user closed the page');

  it('before the call, makes none', async () => {
    for (const billing of [base().billing, base().billing.timeout('1s'), base().billing.breaker()]) {
      const work = jest.fn(succeed);
      const call = billing.execute(work, { signal: AbortSignal.abort(reason) });
      await expect(call).rejects.toMatchObject({ code: 'cancelled', cause: reason });
      expect(work).not.toHaveBeenCalled();
      expect(billing.counts()).toMatchObject({ calls: 1, cancelled: 1, attempts: 0 });
    }
  });

  it('of a circuit that is open, cancels all the same', async () => {
    const billing = base().billing.breaker();
    billing.circuit.isolate();
    const outcome = await billing.outcome(succeed, { signal: AbortSignal.abort(reason) });
    expect(outcome).toMatchObject({ status: 'cancelled' });
  });

  it('during the call, gets an error with the reason at once, though the work does not heed the signal', async () => {
    const { clock, billing } = base();
    const cancel = new AbortController();
    const { calls, work } = held();
    const outcome = billing.outcome(work, { signal: cancel.signal });
    cancel.abort(reason);
    expect(await outcome).toMatchObject({ status: 'cancelled', error: { cause: reason } });
    expect(billing.counts()).toMatchObject({ abandoned: 1, running: 1 });
    calls[0]!.resolve('late');
    await clock.settle();
    expect(billing.counts()).toMatchObject({ abandoned: 0, running: 0, cancelled: 1, ok: 0 });
  });

  it('after the call has settled, changes nothing', async () => {
    const { clock, billing } = base();
    const cancel = new AbortController();
    const { calls, work } = held();
    const outcome = billing.timeout('1s').outcome(work, { signal: cancel.signal });
    calls[0]!.resolve('up');
    expect(await outcome).toEqual({ status: 'ok', value: 'up' });
    cancel.abort(reason);
    await clock.advance(1_000);
    expect(calls[0]!.ctx.signal.aborted).toBe(false);
  });

  it('in the queue or before the turn in the rate limit, leaves it, and the call is not made', async () => {
    const { clock, billing } = base();
    for (const through of [
      billing.bulkhead({ max: 1, queue: 5 }),
      billing.rateLimit({ limit: 1, per: '1s', maxWait: '9s' }),
    ]) {
      void through.outcome(held().work);
      const cancel = new AbortController();
      const work = jest.fn(succeed);
      const outcome = through.outcome(work, { signal: cancel.signal });
      await clock.settle();
      const waiting = clock.pending;
      cancel.abort(reason);
      expect(await outcome).toMatchObject({ status: 'cancelled' });
      expect(through.counts().queued).toBe(0);
      expect(clock.pending).toBe(Math.max(0, waiting - 1));
      await clock.advance(60_000);
      expect(work).not.toHaveBeenCalled();
    }
  });
});

describe('rate limit of a pipeline', () => {
  it('makes calls wait for their turn, and refuses those that would wait too long', async () => {
    const { clock, billing } = base();
    const limited = billing.rateLimit({ limit: 10, per: '1s', burst: 1, maxWait: '250ms' });
    const went: number[] = [];
    const outcomes = Array.from({ length: 5 }, () => limited.outcome(() => void went.push(clock.now())));
    await clock.advance(1_000);
    expect(went).toEqual([1_000, 1_100, 1_200]);
    const refused = { status: 'rejected', code: 'rate_limited', error: { retryAfterMs: 300 } };
    expect((await Promise.all(outcomes)).slice(3)).toMatchObject([refused, refused]);
    expect(limited.counts()).toMatchObject({ ok: 3, rejected: 2, rejections: { rate_limited: 2 } });
  });

  it('gives the turn of a call that was cancelled to the next one', async () => {
    const { clock, billing } = base();
    const limited = billing.rateLimit({ limit: 10, per: '1s', burst: 1, maxWait: '100ms' });
    await limited.execute(succeed);
    const cancel = new AbortController();
    void limited.outcome(succeed, { signal: cancel.signal });
    expect(await now(clock, limited.outcome(succeed))).toMatchObject({ code: 'rate_limited' });
    cancel.abort();
    const next = limited.outcome(succeed);
    await clock.advance(100);
    expect(await next).toMatchObject({ status: 'ok' });
  });
});
