import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from './clock.ts';
import { pipeline } from './pipeline.ts';
import { consecutive } from './window.ts';
import { fail, held, succeed } from './work.fixture.ts';

const HOUR_MS = 3_600_000;

describe('system clock', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('stands above steps of the wall clock', async () => {
    const clock = systemClock();
    const before = clock.now();
    jest.setSystemTime(Date.now() - HOUR_MS);
    expect(clock.now()).toBe(before);
    await jest.advanceTimersByTimeAsync(250);
    expect(clock.now() - before).toBe(250);
  });

  it('runs a timer once, and no timer that was cleared', async () => {
    const clock = systemClock();
    const [ran, cleared] = [jest.fn(), jest.fn()];
    clock.setTimer(ran, 10);
    clock.clearTimer(clock.setTimer(cleared, 10));
    await jest.advanceTimersByTimeAsync(100);
    expect(ran).toHaveBeenCalledTimes(1);
    expect(cleared).not.toHaveBeenCalled();
  });

  it('does not take a wait beyond what the platform can for none', async () => {
    const delays = jest.spyOn(globalThis, 'setTimeout');
    const { calls, work } = held();
    const call = pipeline('billing').execute(work, { deadlineAt: Number.MAX_SAFE_INTEGER });
    const stuck = pipeline('stuck').breaker({ window: consecutive(1), openFor: () => Infinity });
    await stuck.outcome(fail);
    expect(delays.mock.calls.map(([, delayMs]) => delayMs)).toEqual([2 ** 31 - 1, 2 ** 31 - 1]);
    await jest.advanceTimersByTimeAsync(HOUR_MS);
    calls[0]!.resolve('in time');
    expect(await call).toBe('in time');
    expect(stuck.circuit.state).toBe('open');
  });

  it.each([-HOUR_MS, HOUR_MS])(
    '29: a wall-clock step by %d ms neither opens nor holds a circuit',
    async (step) => {
      const billing = pipeline('billing').breaker({
        window: consecutive(1),
        openFor: '30s',
        halfOpen: { calls: 1, successes: 1 },
      });
      await billing.outcome(fail);
      jest.setSystemTime(Date.now() + step);
      await jest.advanceTimersByTimeAsync(29_999);
      expect(billing.circuit).toMatchObject({ state: 'open', retryAfterMs: 1 });
      await jest.advanceTimersByTimeAsync(1);
      expect(billing.circuit.state).toBe('half_open');
      await billing.execute(succeed);
      expect(billing.circuit.state).toBe('closed');
    },
  );

  it('29: nor does it end a time-out, a deadline or a place in the queue', async () => {
    const billing = pipeline('billing')
      .deadline('3s')
      .bulkhead({ max: 1, queue: 1, queueTimeout: '1s' })
      .timeout('2s');
    const [first, second] = [held(), held()];
    void billing.outcome(first.work);
    const queued = billing.outcome(second.work);
    jest.setSystemTime(Date.now() + HOUR_MS);
    await jest.advanceTimersByTimeAsync(999);
    expect(billing.counts()).toMatchObject({ timeouts: 0, deadlines: 0, rejected: 0, queued: 1 });
    await jest.advanceTimersByTimeAsync(1);
    expect(await queued).toMatchObject({ code: 'queue_timeout' });
    await jest.advanceTimersByTimeAsync(999);
    expect(billing.counts().timeouts).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(billing.counts().timeouts).toBe(1);
  });
});

describe('timers of the system clock', () => {
  it('run outside of the request that set them, which nothing of theirs is about', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen = await request.run('one', () => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      systemClock({ keepAlive: true }).setTimer(() => resolve(request.getStore()), 1);
      setTimeout(() => expect(request.getStore()).toBe('one'), 1); // The negative control.
      return promise;
    });
    expect(seen).toBeUndefined();
  });
});
