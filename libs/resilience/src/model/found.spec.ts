import { describe, expect, it } from '@jest/globals';
import { count, pipeline, time } from '../index.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const down = () => Promise.reject(new Error('down'));
const hung = () => new Promise<never>(() => {});

describe('What the model has found', () => {
  it('counts and tells the end of a call once when its last attempt throws', async () => {
    const settled: string[] = [];
    const calls = pipeline({ name: 'it', clock: new VirtualClock() }).retry({
      attempts: 1,
      idempotent: true,
    });
    calls.on('settled', ({ status }) => settled.push(status));

    await expect(calls.execute(down)).rejects.toThrow('down');

    expect(settled).toEqual(['failed']);
    expect(calls.counts()).toMatchObject({ calls: 1, failed: 1, ignored: 0 });
  });

  it.each([
    ['with a signal', { signal: new AbortController().signal }],
    ['without a signal', {}],
  ])('makes no attempt of a call %s that finds all probes out', async (_, options) => {
    const calls = pipeline({ name: 'it', clock: new VirtualClock() }).breaker({
      halfOpen: { calls: 1, successes: 1 },
    });
    calls.circuit.restore({ state: 'half_open', openings: 1, openForMs: 0, window: null });
    const attempts: number[] = [];
    calls.on('settled', (event) => attempts.push(event.attempts));
    void calls.execute(hung, options);

    expect(await calls.outcome(down, options)).toMatchObject({ code: 'circuit_open' });

    expect(attempts).toEqual([0]);
  });

  it('forgets what a time window brought along no later because the clock, like a process, has only just begun', async () => {
    const clock = new VirtualClock();
    const calls = pipeline({ name: 'it', clock }).breaker({ window: time(1_000), minCalls: 2 });
    await calls.outcome(down);
    calls.circuit.restore(calls.circuit.snapshot());
    await clock.advance(1_000);

    await calls.outcome(down);

    expect(calls.circuit.state).toBe('closed');
  });

  it('opens at 7 failures of 100 when 0.07 is the rate', async () => {
    const calls = pipeline({ name: 'it', clock: new VirtualClock() }).breaker({
      window: count(100),
      failureRate: 0.07,
      minCalls: 100,
    });
    for (let call = 1; call <= 100; call++) await calls.outcome(call <= 7 ? down : () => 'up');

    expect(calls.circuit.state).toBe('open');
  });
});
