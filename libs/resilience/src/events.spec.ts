import { describe, expect, it, jest } from '@jest/globals';
import { constant } from './backoff.ts';
import type { ResilienceEvent } from './events.ts';
import { pipeline, type Pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { count } from './window.ts';
import { fail, held, succeed } from './work.fixture.ts';

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

function record(of: Pipeline<unknown>): [string, unknown][] {
  const seen: [string, unknown][] = [];
  for (const event of EVENTS) of.on(event, (data) => seen.push([event, data]));
  return seen;
}

describe('events', () => {
  it('tell what becomes of a call, in order, each with the name of the pipeline', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .fallback(() => 'instead')
      .retry({ attempts: 3, idempotent: true, backoff: constant('100ms'), jitter: 'none' })
      .breaker({ window: count(2), minCalls: 2 })
      .timeout('1s');
    const seen = record(billing);
    const { work } = held();
    void billing.outcome(({ attempt, ...ctx }) =>
      attempt === 1 ? work({ attempt, ...ctx } as never) : fail(),
    );
    await clock.advance(5_000);
    const pipelineName = 'billing';
    expect(seen).toEqual([
      ['timeout', { pipeline: pipelineName, attempt: 1, timeoutMs: 1_000 }],
      ['retry', { pipeline: pipelineName, attempt: 1, delayMs: 100, error: expect.anything() }],
      ['stateChange', { pipeline: pipelineName, from: 'closed', to: 'open', reason: 'failure_rate' }],
      ['retry', { pipeline: pipelineName, attempt: 2, delayMs: 100, error: new Error('down') }],
      ['rejected', { pipeline: pipelineName, code: 'circuit_open' }],
      ['settled', { pipeline: pipelineName, status: 'rejected', attempts: 3 }],
      ['fallback', { pipeline: pipelineName, status: 'rejected' }],
    ]);
  });

  it('tell of a refusal by an open circuit, of a hedge and of a retry that was denied', async () => {
    const clock = new VirtualClock();
    const base = pipeline({ name: 'billing', clock });
    const open = base.breaker();
    open.circuit.isolate();
    const refused = record(open);
    await open.outcome(succeed);
    expect(refused).toEqual([
      ['rejected', { pipeline: 'billing', code: 'circuit_open' }],
      ['settled', { pipeline: 'billing', status: 'rejected', attempts: 0 }],
    ]);
    const hedging = base.retry({ attempts: 2, idempotent: false }).hedge({ after: 5, idempotent: true });
    const hedged = record(hedging);
    const { calls, work } = held();
    void hedging.outcome(work);
    await clock.advance(5);
    for (const { reject } of calls) reject(new Error('down'));
    await clock.settle();
    expect(hedged).toEqual([
      ['hedge', { pipeline: 'billing', attempt: 2 }],
      [
        'retryDenied',
        { pipeline: 'billing', attempt: 2, reason: 'not_idempotent', error: new Error('down') },
      ],
      ['settled', { pipeline: 'billing', status: 'failed', attempts: 2 }],
    ]);
  });

  it('tell of each way to end, on the short way and on the long one', async () => {
    for (const billing of [pipeline('direct'), pipeline('timed').timeout('1s')]) {
      const seen = record(billing);
      await billing.outcome(succeed);
      await billing.outcome(fail);
      await billing.outcome(() => Promise.reject(new DOMException('', 'AbortError')));
      const { name } = billing;
      expect(seen).toEqual(
        ['ok', 'failed', 'cancelled'].map((status) => ['settled', { pipeline: name, status, attempts: 1 }]),
      );
    }
  });

  it('reach a listener as often as it was added, until each is taken away by itself', async () => {
    const billing = pipeline('billing');
    const listener = jest.fn();
    const offs = [billing.on('settled', listener), billing.on('settled', listener)];
    await billing.execute(succeed);
    expect(listener).toHaveBeenCalledTimes(2);
    offs[0]!();
    offs[0]!();
    await billing.execute(succeed);
    expect(listener).toHaveBeenCalledTimes(3);
    offs[1]!();
    await billing.execute(succeed);
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('reach those who listened when it happened, though one of them leaves meanwhile', async () => {
    const billing = pipeline('billing');
    const last = jest.fn();
    const off: () => void = billing.on('settled', () => off());
    billing.on('settled', last);
    await billing.execute(succeed);
    await billing.execute(succeed);
    expect(last).toHaveBeenCalledTimes(2);
  });

  it('count listeners that throw or reject, and go on to the next', async () => {
    const billing = pipeline('billing');
    const next = jest.fn();
    billing.on('settled', () => {
      throw new Error('a bug');
    });
    billing.on('settled', () => Promise.reject(new Error('a bug')));
    billing.on('settled', next);
    expect(await billing.execute(succeed)).toBe('up');
    await Promise.resolve();
    expect(next).toHaveBeenCalledTimes(1);
    expect(billing.counts().listenerErrors).toBe(2);
  });

  it('refuse a name that there is not', () => {
    expect(() => pipeline('billing').on('open' as 'settled', () => {})).toThrow(
      'there is no event "open". There are: stateChange, retry, retryDenied, hedge, rejected, timeout, fallback, settled',
    );
  });
});
