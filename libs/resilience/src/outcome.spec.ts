import { describe, expect, it, jest } from '@jest/globals';
import { FailedResultError } from './errors.ts';
import { pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive } from './window.ts';
import { fail, held, succeed } from './work.fixture.ts';

const is503 = (value: unknown) => (value as { status?: number }).status === 503;

describe('outcome', () => {
  it('tells the five ways in which a call ends, and never rejects', async () => {
    const isFailure = (error: unknown) => (error as Error).message !== 'not found';
    const billing = pipeline({ name: 'billing', isFailure }).breaker({ window: consecutive(9) });
    const cancel = new AbortController();
    const cancelled = billing.outcome(held().work, { signal: cancel.signal });
    cancel.abort();
    expect(await billing.outcome(succeed)).toEqual({ status: 'ok', value: 'up' });
    expect(await billing.outcome(fail)).toMatchObject({ status: 'failed', error: new Error('down') });
    expect(await billing.outcome(() => Promise.reject(new Error('not found')))).toMatchObject({
      status: 'ignored',
    });
    expect(await cancelled).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
    billing.circuit.isolate();
    expect(await billing.outcome(succeed)).toMatchObject({ status: 'rejected', code: 'circuit_open' });
    expect(billing.counts()).toMatchObject({
      calls: 5,
      ok: 1,
      failed: 1,
      ignored: 1,
      cancelled: 1,
      rejected: 1,
    });
  });

  it.each([undefined, null, 'text', 0])('takes %p for an error like any other', async (thrown) => {
    for (const billing of [pipeline('direct'), pipeline('timed').timeout('1s')]) {
      expect(await billing.outcome(() => Promise.reject(thrown))).toMatchObject({ status: 'failed' });
    }
  });

  it('tells work that throws at once from work that answers no promise', async () => {
    for (const billing of [pipeline('direct'), pipeline('timed').timeout('1s')]) {
      const atOnce = () => {
        throw new Error('at once');
      };
      expect(await billing.outcome(atOnce)).toMatchObject({ status: 'failed' });
      expect(await billing.outcome(() => 5)).toEqual({ status: 'ok', value: 5 });
    }
  });

  it('has the code of a rejection by a pipeline further in', async () => {
    const inner = pipeline('inner').breaker();
    inner.circuit.isolate();
    for (const outer of [pipeline('direct'), pipeline('timed').timeout('1s')]) {
      const outcome = await outer.outcome((ctx) => inner.execute(succeed, ctx));
      expect(outcome).toMatchObject({
        status: 'rejected',
        code: 'circuit_open',
        error: { pipeline: 'inner' },
      });
    }
  });

  it('gives a value that is a failure to callers of execute, as a failure to callers of outcome', async () => {
    const response = { status: 503 };
    const direct = pipeline({ name: 'billing', isFailureResult: is503 });
    for (const billing of [direct, direct.timeout('1s')]) {
      expect(await billing.execute(() => response)).toBe(response);
      const outcome = await billing.outcome(() => response);
      expect(outcome).toMatchObject({ status: 'failed', error: expect.any(FailedResultError) });
      expect(outcome).toMatchObject({ error: { value: response, cause: response } });
      expect(billing.counts()).toMatchObject({ failed: 2, ok: 0 });
    }
  });

  it.each(['isFailure', 'isFailureResult', 'retryOn', 'retryAfter'])(
    'shows what a predicate of the caller throws: %s; it proves nothing of the other side',
    async (name) => {
      const bug = () => {
        throw new Error('a bug');
      };
      const billing = pipeline({ name: 'billing', ...(name.startsWith('is') && { [name]: bug }) })
        .retry({ attempts: 3, idempotent: true, ...(name.startsWith('retry') && { [name]: bug }) })
        .breaker({ window: consecutive(2) });
      for (let i = 0; i < 2; i++) {
        const outcome = await billing.outcome(name === 'isFailureResult' ? succeed : fail);
        expect(outcome).toMatchObject({ status: 'ignored', error: new Error('a bug') });
        if (name.startsWith('is')) expect(billing.circuit.state).toBe('closed');
      }
      expect(billing.counts()).toMatchObject({ ignored: 2, attempts: 2, retries: 0 });
    },
  );
});

describe('fallback', () => {
  const explained = () =>
    pipeline('billing').fallback(({ status, error }) => `${status}: ${(error as Error).message}`);

  it('answers in place of a failure', async () => {
    for (const billing of [explained(), explained().timeout('1s')]) {
      expect(await billing.execute(fail)).toBe('failed: down');
      expect(await billing.outcome(fail)).toEqual({ status: 'ok', value: 'failed: down' });
      expect(billing.counts()).toMatchObject({ failed: 2, fallbacks: 2 });
    }
  });

  it('answers in place of a rejection', async () => {
    const billing = explained().breaker();
    billing.circuit.isolate();
    const text = 'rejected: circuit "billing" is open until it is released by hand';
    expect(await billing.execute(succeed)).toBe(text);
    expect(await billing.outcome(succeed)).toEqual({ status: 'ok', value: text });
    expect(billing.counts()).toMatchObject({ rejected: 2, fallbacks: 2, attempts: 0 });
  });

  it('answers in place of a value that is a failure', async () => {
    const billing = pipeline({ name: 'billing', isFailureResult: is503 }).fallback(() => 'instead');
    expect(await billing.execute<unknown>(() => ({ status: 503 }))).toBe('instead');
  });

  it('is not asked for what was cancelled or ignored, nor for a success', async () => {
    const instead = jest.fn(() => 'instead');
    const billing = pipeline({ name: 'billing', isFailure: () => false }).fallback(instead);
    const cancel = new AbortController();
    const cancelled = billing.outcome(held().work, { signal: cancel.signal });
    cancel.abort();
    expect(await cancelled).toMatchObject({ status: 'cancelled' });
    await expect(billing.execute(fail)).rejects.toThrow('down');
    expect(await billing.execute(succeed)).toBe('up');
    expect(instead).not.toHaveBeenCalled();
  });

  it('fails the call with what it throws or rejects with itself', async () => {
    const atOnce = () => {
      throw new Error('no answer');
    };
    for (const answer of [atOnce, () => Promise.reject(new Error('no answer'))]) {
      const failing = pipeline('billing').fallback(answer).breaker();
      for (const isolated of [false, true]) {
        if (isolated) failing.circuit.isolate();
        await expect(failing.execute(fail)).rejects.toThrow('no answer');
        const outcome = await failing.outcome(fail);
        expect(outcome).toMatchObject({ status: 'failed', error: new Error('no answer') });
      }
    }
  });

  it('is asked once, after all attempts', async () => {
    const clock = new VirtualClock();
    const instead = jest.fn(() => 'instead');
    const billing = pipeline({ name: 'billing', clock })
      .fallback(instead)
      .retry({ attempts: 3, idempotent: true });
    const call = billing.execute(fail);
    await clock.advance(10_000);
    expect(await call).toBe('instead');
    expect(instead).toHaveBeenCalledTimes(1);
    expect(billing.counts().attempts).toBe(3);
  });

  it('is told of a rejection by an error of its own each time that it reads one', async () => {
    const billing = pipeline('billing')
      .fallback((failure) => failure.error === failure.error)
      .breaker();
    billing.circuit.isolate();
    expect(await billing.execute<unknown>(succeed)).toBe(false);
  });
});
