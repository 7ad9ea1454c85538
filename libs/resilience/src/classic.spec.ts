import { describe, expect, it } from '@jest/globals';
import { adaptive } from './adaptive.ts';
import { bulkhead, circuitBreaker, retry, timeout } from './classic.ts';
import { VirtualClock } from './testing/index.ts';
import { crowd, fail, held, now, succeed } from './work.fixture.ts';

describe('circuitBreaker', () => {
  it('has the classic parameters: failure threshold, recovery time-out, half-open calls, success threshold', async () => {
    const clock = new VirtualClock();
    const breaker = circuitBreaker({
      clock,
      failureThreshold: 3,
      recoveryTimeout: '10s',
      halfOpenMaxCalls: 4,
      successThreshold: 3,
    });
    for (let i = 0; i < 2; i++) await breaker.outcome(fail);
    expect(breaker.circuit.state).toBe('closed');
    await breaker.outcome(fail);
    expect(breaker.circuit).toMatchObject({ state: 'open', retryAfterMs: 10_000 });
    await clock.advance(10_000);
    const { calls } = crowd(breaker, 9);
    expect(calls).toHaveLength(4);
    for (const { resolve } of calls.slice(0, 2)) resolve();
    await clock.settle();
    expect(breaker.circuit.state).toBe('half_open');
    calls[2]!.resolve();
    await clock.settle();
    expect(breaker.circuit.state).toBe('closed');
  });

  it('has five failures, 30 s, three calls and two successes by default', async () => {
    const clock = new VirtualClock();
    const breaker = circuitBreaker({ clock });
    for (let i = 0; i < 4; i++) await breaker.outcome(fail);
    expect(breaker.circuit.state).toBe('closed');
    await breaker.outcome(fail);
    expect(breaker.circuit.retryAfterMs).toBe(30_000);
    await clock.advance(30_000);
    expect(crowd(breaker, 9).calls).toHaveLength(3);
  });

  it('takes a success for one failure less, with decay, and for none at all without', async () => {
    const results = [fail, fail, succeed, fail, fail];
    for (const [decay, state] of [
      [true, 'open'],
      [false, 'closed'],
    ] as const) {
      const breaker = circuitBreaker({ failureThreshold: 3, decay });
      for (const result of results) await breaker.outcome(result);
      expect(breaker.circuit.state).toBe(state);
    }
  });

  it('closes at one success when it probes with one call', async () => {
    const clock = new VirtualClock();
    const breaker = circuitBreaker({ clock, failureThreshold: 1, halfOpenMaxCalls: 1 });
    await breaker.outcome(fail);
    await clock.advance(30_000);
    await breaker.outcome(succeed);
    expect(breaker.circuit.state).toBe('closed');
  });

  it('refuses what makes no sense, by the names that it was given', () => {
    expect(() => circuitBreaker({ failureThreshold: 0 })).toThrow(
      'failureThreshold must be a whole number from 1, got 0',
    );
    expect(() => circuitBreaker({ successThreshold: 9 })).toThrow(
      'successThreshold must be a whole number from 1 to 3, got 9',
    );
    expect(() => circuitBreaker({ resetTimeout: 1 } as never)).toThrow(
      'circuitBreaker has no option "resetTimeout"',
    );
  });
});

describe('retry, bulkhead and timeout', () => {
  it('are pipelines of one step', async () => {
    const clock = new VirtualClock();
    const retrying = retry({ clock, attempts: 2, idempotent: true });
    const retried = retrying.outcome(fail);
    await clock.advance(1_000);
    expect(await retried).toMatchObject({ status: 'failed' });
    expect(retrying.counts().attempts).toBe(2);
    expect(crowd(bulkhead({ max: 2 }), 5).calls).toHaveLength(2);
    expect(crowd(bulkhead(adaptive({ initial: 3 })), 5).calls).toHaveLength(3);
    const timed = timeout('1s', { clock }).outcome(held().work);
    await clock.advance(1_000);
    expect(await now(clock, timed)).toMatchObject({ error: { code: 'timeout' } });
  });

  it('have the name of their form unless they are given one', () => {
    expect(
      [circuitBreaker(), retry({ attempts: 1, idempotent: true }), bulkhead({ max: 1 }), timeout(1)].map(
        ({ name }) => name,
      ),
    ).toEqual(['circuit breaker', 'retry', 'bulkhead', 'timeout']);
    const named = [
      circuitBreaker({ name: 'billing' }),
      retry({ name: 'billing', attempts: 1, idempotent: true }),
      bulkhead({ name: 'billing', max: 1 }),
      timeout(1, { name: 'billing' }),
    ];
    for (const { name } of named) expect(name).toBe('billing');
  });

  it('tell failures by the predicates that they are given', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, isFailure: () => false });
    expect(await breaker.outcome(fail)).toMatchObject({ status: 'ignored' });
    const strict = circuitBreaker({ failureThreshold: 1, isFailureResult: () => true });
    await strict.outcome(succeed);
    expect(strict.circuit.state).toBe('open');
  });
});
