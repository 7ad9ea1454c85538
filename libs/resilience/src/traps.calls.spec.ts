import { describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { constant } from './backoff.ts';
import { CancelledError, CircuitOpenError } from './errors.ts';
import type { ResilienceEvent } from './events.ts';
import { pipeline, type Pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive, count } from './window.ts';
import { crowd, fail, held, now, statuses, succeed } from './work.fixture.ts';

const EVENTS = [
  'stateChange',
  'retry',
  'retryDenied',
  'hedge',
  'rejected',
  'timeout',
  'fallback',
  'settled',
] as const satisfies ResilienceEvent[];

/** Every listener of it throws or rejects. */
function sabotage(victim: Pipeline<unknown>): void {
  for (const event of EVENTS) {
    victim.on(event, () => {
      throw new Error(`listener of ${event}`);
    });
    victim.on(event, () => Promise.reject(new Error(`listener of ${event}`)));
  }
}

describe('traps 25: listeners that throw', () => {
  it('25: a listener that throws does not make retry repeat a success', async () => {
    const retrying = pipeline('billing').retry({ attempts: 4, idempotent: true });
    sabotage(retrying);
    const work = jest.fn(succeed);
    expect(await retrying.execute(work)).toBe('up');
    expect(work).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    expect(retrying.counts().listenerErrors).toBe(2);
  });

  it('25: every call settles as it would have, whatever all listeners throw', async () => {
    const run = async (sabotaged: boolean) => {
      const clock = new VirtualClock();
      const billing = pipeline({ name: 'billing', clock, random: () => 0.5 })
        .fallback(() => 'instead')
        .retry({ attempts: 2, idempotent: true })
        .hedge({ after: 100, idempotent: true })
        .breaker({ window: count(4), minCalls: 4, openFor: '10s', halfOpen: { calls: 1, successes: 1 } })
        .bulkhead({ max: 2 })
        .timeout('1s');
      if (sabotaged) sabotage(billing);
      const outcomes = [fail, held().work, succeed, held().work].map((work) => billing.outcome(work));
      await clock.advance(20_000);
      outcomes.push(billing.outcome(succeed), billing.outcome(succeed));
      await clock.advance(20_000);
      const { listenerErrors, ...counts } = billing.counts();
      return { settled: await Promise.all(outcomes), counts, listenerErrors, state: billing.circuit.state };
    };
    const [calm, sabotaged] = [await run(false), await run(true)];
    expect(calm.listenerErrors).toBe(0);
    expect(sabotaged.listenerErrors).toBeGreaterThan(20);
    expect({ ...sabotaged, listenerErrors: 0 }).toEqual(calm);
    const { retries, hedges, timeouts, fallbacks, rejections } = calm.counts;
    for (const happened of [retries, hedges, timeouts, fallbacks, rejections.bulkhead_full]) {
      expect(happened).toBeGreaterThan(0); // The negative control: there was something to listen to.
    }
  });
});

/** A process of its own: that it ends can't be seen from inside. */
async function script(mode: 'patient' | 'default'): Promise<string> {
  const fixture = fileURLToPath(new URL('waits.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', fixture, mode], { timeout: 20_000 });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (output += String(chunk)));
  const [code] = await once(child, 'close');
  return `${output.trim().split('\n').join(', ')}: ${code}`;
}

describe('traps 26: waits', () => {
  it('26: abort during back-off ends the call at once, and makes no other', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).retry({
      attempts: 3,
      idempotent: true,
      backoff: constant('1h'),
      jitter: 'none',
    });
    const work = jest.fn(fail);
    const cancel = new AbortController();
    const call = billing.execute(work, { signal: cancel.signal });
    await clock.settle();
    expect(clock.pending).toBe(1);
    cancel.abort();
    await expect(call).rejects.toBeInstanceOf(CancelledError);
    expect(clock.pending).toBe(0);
    await clock.advance(10_000_000);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('26: neither back-off, time-out, deadline, queue, open circuit nor hedge keeps a process alive', async () => {
    expect(await script('default')).toBe('waiting: 0');
  }, 30_000);

  it('26: the waits of a script that wants them do', async () => {
    expect(await script('patient')).toBe('waiting, retried: 0');
  }, 30_000);
});

const freeze = <T extends object>(options: T): T => {
  for (const value of Object.values(options)) if (typeof value === 'object') freeze(value as object);
  return Object.freeze(options);
};

describe('traps 28: one call, one pipeline', () => {
  it('28: a timeout aborts its own call and none of the others in flight', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).timeout('1s');
    const early = crowd(billing, 1);
    await clock.advance(1);
    const others = crowd(billing, 100);
    const signals = [...early.calls, ...others.calls].map(({ ctx }) => ctx.signal);
    await clock.advance(999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, ...Array<boolean>(100).fill(false)]);
    for (const { resolve } of others.calls) resolve();
    expect(await statuses(others.outcomes)).toEqual({ ok: 100 });
  });

  it('28: options objects are not mutated', () => {
    const options = freeze({
      retry: { attempts: 2, idempotent: true, budget: { ratio: 0.1 } },
      hedge: { after: 50, idempotent: true, budget: { perSecond: 1 } },
      breaker: { window: count(10), halfOpen: { calls: 9 } },
      bulkhead: { max: 2 },
      rateLimit: { limit: 1, per: '1s' as const },
    });
    const build = () =>
      pipeline(freeze({ name: 'billing' }))
        .retry(options.retry)
        .hedge(options.hedge)
        .breaker(options.breaker)
        .bulkhead(options.bulkhead)
        .rateLimit(options.rateLimit);
    expect(build).not.toThrow();
  });

  it('28: two pipelines of the same options share nothing', async () => {
    const options = { window: consecutive(1), halfOpen: { calls: 1, successes: 1 } };
    const clock = new VirtualClock();
    const base = pipeline({ name: 'billing', clock });
    const [one, other] = [base.breaker(options), base.breaker(options)];
    await one.outcome(fail);
    expect([one.circuit.state, other.circuit.state]).toEqual(['open', 'closed']);
    expect(await statuses(crowd(one, 1).outcomes)).toEqual({ rejected: 1 });
    expect(other.counts()).toMatchObject({ calls: 0, rejected: 0 });
  });

  it('28: changing the options afterwards changes no pipeline', async () => {
    const clock = new VirtualClock();
    const halfOpen = { calls: 1, successes: 1 };
    const budget = { ratio: 0, perSecond: 0 };
    const settings = { name: 'billing', clock };
    const retry = { attempts: 2, idempotent: true, budget };
    const breaker = { window: consecutive(9), openFor: 1_000, halfOpen };
    const retrying = pipeline(settings).retry(retry);
    const billing = retrying.breaker(breaker);
    Object.assign(settings, { name: 'mail' });
    Object.assign(budget, { ratio: 1, perSecond: 99 });
    Object.assign(retry, { attempts: 99 });
    Object.assign(breaker, { window: consecutive(1), openFor: 1 });
    Object.assign(halfOpen, { calls: 99 });
    for (const before of [billing, billing.timeout('1s')]) {
      expect(before.name).toBe('billing');
      await before.outcome(fail);
      expect(before.circuit.state).toBe('closed');
      expect(before.counts().retriesDenied.budget).toBe(1);
      before.circuit.restore({ state: 'half_open', openings: 1, openForMs: 0, window: null });
      expect(crowd(before, 5).calls).toHaveLength(1);
    }
  });
});

describe('traps 30: retries', () => {
  const nested = (clock: VirtualClock) =>
    ['outer', 'middle', 'inner'].map((name) =>
      pipeline({ name, clock }).retry({ attempts: 4, idempotent: true, budget: false }),
    ) as [Pipeline, Pipeline, Pipeline];

  it('30: an open circuit is not retried', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .retry({ attempts: 4, idempotent: true })
      .breaker({ window: consecutive(1) });
    const first = billing.outcome(fail);
    await clock.advance(5_000);
    expect(await first).toMatchObject({ status: 'rejected', error: expect.any(CircuitOpenError) });
    for (let i = 0; i < 9; i++) await expect(billing.execute(fail)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(billing.counts()).toMatchObject({ attempts: 1, retries: 1, rejected: 10 });
  });

  it('30: three nested layers of 4 attempts make no 64 calls, but 4', async () => {
    const clock = new VirtualClock();
    const [outer, middle, inner] = nested(clock);
    const work = jest.fn(fail);
    const outcome = outer.outcome((a) => middle.execute((b) => inner.execute(work, b), a));
    await clock.advance(1_000_000);
    expect(await now(clock, outcome)).toMatchObject({ status: 'failed' });
    expect(work).toHaveBeenCalledTimes(4);
    expect(outer.counts().retriesDenied.nested).toBe(1);
  });

  it('30: nor when each layer wraps the error in one of its own', async () => {
    const clock = new VirtualClock();
    const [outer, middle, inner] = nested(clock);
    const work = jest.fn(fail);
    const wrap = (cause: unknown) => Promise.reject(new Error('wrapped', { cause }));
    void outer.outcome((a) => middle.execute((b) => inner.execute(work, b).catch(wrap), a).catch(wrap));
    await clock.advance(1_000_000);
    expect(work).toHaveBeenCalledTimes(4);
  });

  it('30: nor when the failure is a value, such as a response with status 503', async () => {
    const clock = new VirtualClock();
    const isFailureResult = (value: unknown) => (value as { status: number }).status === 503;
    const [outer, middle, inner] = ['outer', 'middle', 'inner'].map((name) =>
      pipeline({ name, clock, isFailureResult }).retry({ attempts: 4, idempotent: true, budget: false }),
    ) as [Pipeline, Pipeline, Pipeline];
    const work = jest.fn(() => ({ status: 503 }));
    const call = outer.execute((a) => middle.execute((b) => inner.execute(work, b), a));
    await clock.advance(1_000_000);
    expect(await now(clock, call)).toEqual({ status: 503 });
    expect(work).toHaveBeenCalledTimes(4);
  });

  it('30: the one error that some work throws each time is retried in each call', async () => {
    const clock = new VirtualClock();
    const [, , inner] = nested(clock);
    const always = new Error('the same');
    const work = jest.fn(() => Promise.reject(always));
    for (let i = 0; i < 3; i++) {
      void inner.outcome(work);
      await clock.advance(1_000_000);
    }
    expect(work).toHaveBeenCalledTimes(12);
  });

  it('30: nobody retries for ever by default, and not without delay', async () => {
    const options = { idempotent: true } as { idempotent: true; attempts: number };
    const message = 'attempts must be a whole number from 1, got undefined';
    expect(() => pipeline('billing').retry(options)).toThrow(message);
    expect(() => pipeline('billing').retry({ ...options, attempts: Infinity })).toThrow(RangeError);
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock, random: () => 0.999 }).retry({
      ...options,
      attempts: 3,
    });
    const delays: number[] = [];
    billing.on('retry', ({ delayMs }) => delays.push(Math.round(delayMs)));
    void billing.outcome(fail);
    await clock.advance(60_000);
    expect(delays).toEqual([200, 400]);
  });
});
