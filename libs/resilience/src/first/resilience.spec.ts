import { describe, expect, it } from '@jest/globals';
import { bulkhead, circuitBreaker, retry, timeout } from '../index.ts';
import { CircuitOpenError, TimeoutError } from './errors.ts';

const transient = () => Promise.reject(Object.assign(new Error('503'), { transient: true }));
const fatal = () => Promise.reject(new Error('400'));
const ok = () => Promise.resolve('ok');
const instantly = { baseMs: 0, maxMs: 0 };

function counted<T>(call: () => Promise<T>) {
  const run = () => (run.calls++, call());
  run.calls = 0;
  return run;
}

describe('timeout', () => {
  it('rejects a call that does not answer and aborts it', async () => {
    let seen: AbortSignal | undefined;
    const hung = (signal: AbortSignal) => ((seen = signal), new Promise(() => {}));
    await expect(timeout(5)(hung)).rejects.toThrow(TimeoutError);
    expect(seen!.aborted).toBe(true);
  });

  it("reports the caller's own cancel as such, not as a time-out", async () => {
    const caller = new AbortController();
    const call = timeout(60_000)(() => new Promise(() => {}), caller.signal);
    caller.abort(new Error('user left'));
    await expect(call).rejects.toThrow('user left');
  });
});

describe('retry', () => {
  it('tries a transient failure again, up to the cap', async () => {
    const call = counted(transient);
    await expect(retry({ attempts: 3, ...instantly })(call)).rejects.toThrow('503');
    expect(call.calls).toBe(3);
  });

  it('does not repeat a failure that will not go away, nor knock at an open circuit', async () => {
    const open = () => Promise.reject(new CircuitOpenError('x', 1));
    for (const failing of [fatal, open]) {
      const call = counted(failing);
      await expect(retry({ attempts: 3, ...instantly })(call)).rejects.toThrow();
      expect(call.calls).toBe(1);
    }
  });

  it('ends the wait at once when the caller cancels, without another call', async () => {
    const caller = new AbortController();
    const call = counted(transient);
    const result = retry({ attempts: 3, baseMs: 60_000, maxMs: 60_000, random: () => 1 })(
      call,
      caller.signal,
    );
    await Promise.resolve();
    caller.abort(new Error('user left'));
    await expect(result).rejects.toThrow('user left');
    expect(call.calls).toBe(1);
  });
});

describe('circuitBreaker', () => {
  function breaker() {
    const clock = { ms: 0 };
    const policy = circuitBreaker({ name: 'g', failures: 2, openMs: 1000, probes: 2, now: () => clock.ms });
    const fail = () => policy(transient).catch(() => {});
    return { clock, policy, fail };
  }

  it('opens after failures in a row and makes no call while open', async () => {
    const { policy, fail } = breaker();
    await fail();
    await policy(ok);
    await fail();
    expect(policy.state).toBe('closed');
    await fail();
    const call = counted(ok);
    await expect(policy(call)).rejects.toThrow(CircuitOpenError);
    expect(call.calls).toBe(0);
  });

  it('closes after enough probes succeed and opens again when one fails', async () => {
    const { clock, policy, fail } = breaker();
    await fail();
    await fail();
    clock.ms = 1000;
    await policy(ok);
    expect(policy.state).toBe('half_open');
    await fail();
    expect(policy.state).toBe('open');
    clock.ms = 2000;
    await policy(ok);
    await policy(ok);
    expect(policy.state).toBe('closed');
  });

  it('lets no more probes through than asked for', async () => {
    const { clock, policy, fail } = breaker();
    await fail();
    await fail();
    clock.ms = 1000;
    const gate = Promise.withResolvers<string>();
    const probes = [policy(() => gate.promise), policy(() => gate.promise)];
    await expect(policy(ok)).rejects.toThrow(CircuitOpenError);
    gate.resolve('ok');
    await Promise.all(probes);
    expect(policy.state).toBe('closed');
  });

  it('ignores the late result of a call from before it opened', async () => {
    const { policy, fail } = breaker();
    const gate = Promise.withResolvers<string>();
    const late = policy(() => gate.promise);
    await fail();
    await fail();
    gate.resolve('ok');
    await late;
    expect(policy.state).toBe('open');
  });

  it('does not count errors that are our own fault', async () => {
    const { policy } = breaker();
    for (let i = 0; i < 5; i++) await policy(fatal).catch(() => {});
    expect(policy.state).toBe('closed');
  });
});

describe('bulkhead', () => {
  it('runs at most max at a time, the rest in their order, and refuses what exceeds the queue', async () => {
    const policy = bulkhead({ max: 1, queue: 2 });
    const order: number[] = [];
    const gate = Promise.withResolvers<void>();
    const first = policy(() => gate.promise);
    const second = policy(async () => void order.push(2));
    const third = policy(async () => void order.push(3));
    await expect(policy(ok)).rejects.toThrow('bulkhead is full: 1 running, 2 waiting');
    gate.resolve();
    await Promise.all([first, second, third]);
    expect(order).toEqual([2, 3]);
  });
});
