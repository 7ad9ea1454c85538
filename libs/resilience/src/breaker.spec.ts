import { describe, expect, it, jest } from '@jest/globals';
import assert from 'node:assert';
import { exponentialOpen, type BreakerOptions, type BreakerSnapshot } from './breaker.ts';
import { CircuitOpenError } from './errors.ts';
import { pipeline } from './pipeline.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive, count, decaying, time } from './window.ts';
import { crowd, fail, held, succeed, takes } from './work.fixture.ts';

function circuit(options: BreakerOptions = {}, clock = new VirtualClock()) {
  const billing = pipeline({ name: 'billing', clock }).breaker(options);
  const changes: string[] = [];
  billing.on('stateChange', ({ from, to, reason }) => changes.push(`${from} → ${to}: ${reason}`));
  /** `+` a success, `-` a failure. */
  const calls = async (results: string) => {
    for (const result of results) await billing.outcome(result === '+' ? succeed : fail);
    return billing.circuit.state;
  };
  return { billing, clock, calls, changes };
}

const PROBES = { halfOpen: { calls: 2, successes: 2, maxWait: '10s' } } as const;

describe('breaker', () => {
  it('opens at the failure rate, not before the fewest calls that prove something', async () => {
    const { calls } = circuit({ window: count(10), failureRate: 0.5, minCalls: 4 });
    expect(await calls('---')).toBe('closed');
    expect(await calls('-')).toBe('open');
  });

  it('opens at exactly the rate, and not a call below', async () => {
    const { calls } = circuit({ window: count(10), failureRate: 0.5, minCalls: 10 });
    expect(await calls('++++++----')).toBe('closed');
    expect(await calls('-')).toBe('open');
  });

  it('wants twenty calls by default, or as many as a smaller window holds', async () => {
    const { calls } = circuit();
    expect(await calls('-'.repeat(19))).toBe('closed');
    expect(await calls('-')).toBe('open');
    const { calls: few } = circuit({ window: count(5) });
    expect(await few('----')).toBe('closed');
    expect(await few('-')).toBe('open');
  });

  it('does not open because of a success', async () => {
    const { calls, changes } = circuit({ window: count(4), failureRate: 1, minCalls: 1 });
    expect(await calls('++++')).toBe('closed');
    expect(changes).toEqual([]);
  });

  it('opens at the rate of slow calls, though they succeed', async () => {
    const { billing, clock, changes } = circuit({ window: count(4), slowAfter: '1s', slowRate: 0.5 });
    for (const ms of [1_000, 1_001, 1, 1_001]) {
      void billing.outcome(takes(clock, ms));
      await clock.advance(ms);
    }
    expect(changes).toEqual(['closed → open: slow_rate']);
  });

  it('waits half-open for as long as nobody calls; only a probe that is out can be waited for in vain', async () => {
    const { billing, clock, calls } = circuit({ window: consecutive(1), openFor: '5s', ...PROBES });
    expect(await calls('-')).toBe('open');
    await clock.advance(3_600_000);
    expect(await calls('+')).toBe('half_open');
    await clock.advance(3_600_000);
    expect(billing.circuit.state).toBe('half_open');
    void billing.outcome(takes(clock, 3_600_000));
    await clock.advance(9_999);
    expect(billing.circuit.state).toBe('half_open');
    await clock.advance(1);
    expect(billing.circuit.state).toBe('open');
  });

  it.each([
    ['throws', () => assert.fail('no idea')],
    ['gives no number', () => NaN],
    ['gives less than 0', () => -1],
  ])('opens for 30 s when openFor %s', async (_, openFor) => {
    const { billing, calls } = circuit({ window: consecutive(1), openFor });
    expect(await calls('-')).toBe('open');
    expect(billing.circuit.retryAfterMs).toBe(30_000);
  });

  it('wants as many successes as it lets probes in, when these are fewer than three', async () => {
    const { calls, clock } = circuit({ window: consecutive(1), openFor: '1s', halfOpen: { calls: 2 } });
    await calls('-');
    await clock.advance(1_000);
    expect(await calls('+')).toBe('half_open');
    expect(await calls('+')).toBe('closed');
  });

  it('counts a call that timed out as a failure when it times out, not when it settles', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .breaker({ window: consecutive(2) })
      .timeout('1s');
    const { calls } = crowd(billing, 2);
    await clock.advance(1_000);
    expect(billing.circuit.state).toBe('open');
    for (const { resolve } of calls) resolve();
    await clock.settle();
    expect(billing.circuit.state).toBe('open');
  });

  it('opens after failures in a row, from which a success starts anew', async () => {
    const { calls, changes } = circuit({ window: consecutive(3) });
    expect(await calls('--+--')).toBe('closed');
    expect(await calls('-')).toBe('open');
    expect(changes).toEqual(['closed → open: failures_in_a_row']);
  });

  it('opens at a failure count that successes take down one by one', async () => {
    const { calls, changes } = circuit({ window: decaying(3) });
    expect(await calls('--+--')).toBe('open');
    expect(changes).toEqual(['closed → open: failure_count']);
    const { calls: more } = circuit({ window: decaying(3) });
    expect(await more('++++-+-+--+')).toBe('closed');
    expect(await more('--')).toBe('open');
  });

  it('goes its way by itself: open, half-open after the open time, closed by probes', async () => {
    const { billing, calls, clock, changes } = circuit({ window: consecutive(1), openFor: '30s', ...PROBES });
    await calls('-');
    await clock.advance(29_999);
    expect(billing.circuit).toMatchObject({ state: 'open', retryAfterMs: 1 });
    await clock.advance(1);
    expect(billing.circuit).toMatchObject({ state: 'half_open', retryAfterMs: 0 });
    await calls('++');
    expect(changes).toEqual([
      'closed → open: failures_in_a_row',
      'open → half_open: open_time_over',
      'half_open → closed: probes_succeeded',
    ]);
  });

  it('says how long it will be open, in the error of each call that it refuses', async () => {
    const { billing, calls, clock } = circuit({ window: consecutive(1) });
    await calls('-');
    await clock.advance(10_000);
    const outcome = await billing.outcome(succeed);
    expect(outcome).toMatchObject({
      status: 'rejected',
      error: { retryAfterMs: 20_000, pipeline: 'billing' },
    });
    await expect(billing.execute(succeed)).rejects.toThrow('circuit "billing" is open for another 20000 ms');
    await expect(billing.execute(succeed)).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('rejects no call that was made before it opened', async () => {
    const { billing, calls } = circuit({ window: consecutive(1) });
    const before = crowd(billing, 1);
    await calls('-');
    before.calls[0]!.resolve('in time');
    expect(await before.outcomes[0]).toEqual({ status: 'ok', value: 'in time' });
  });

  it('forgets what was before it opened', async () => {
    const { calls, clock } = circuit({ window: count(4), minCalls: 4, ...PROBES });
    await calls('++--');
    await clock.advance(30_000);
    await calls('++');
    expect(await calls('---')).toBe('closed');
    expect(await calls('-')).toBe('open');
  });

  it('stays open for longer each time that the probes fail, up to a maximum, and anew after it was closed', async () => {
    const openFor = jest.fn(exponentialOpen('5s', '20s'));
    const { billing, calls, clock } = circuit({ window: consecutive(1), openFor, ...PROBES });
    const openTimes: number[] = [];
    await calls('-');
    for (let i = 0; i < 4; i++) {
      openTimes.push(billing.circuit.retryAfterMs);
      await clock.advance(billing.circuit.retryAfterMs);
      await calls('-');
    }
    expect(openTimes).toEqual([5_000, 10_000, 20_000, 20_000]);
    await clock.advance(20_000);
    await calls('++-');
    expect(billing.circuit.retryAfterMs).toBe(5_000);
    expect(openFor.mock.calls.map(([opening]) => opening)).toEqual([1, 2, 3, 4, 5, 1]);
    expect(() => exponentialOpen('5s', '1s')).toThrow('max must be at least base (5000 ms), got "1s"');
  });

  it('takes an open time of 0 for none', async () => {
    const { billing, calls, clock } = circuit({ window: consecutive(1), openFor: () => 0 });
    await calls('-');
    expect(billing.circuit).toMatchObject({ state: 'open', retryAfterMs: 0 });
    await clock.advance(1);
    expect(billing.circuit.state).toBe('half_open');
  });

  it('is opened by hand until it is released by hand', async () => {
    const { billing, clock, calls, changes } = circuit({ window: consecutive(1) });
    billing.circuit.isolate();
    billing.circuit.isolate();
    await clock.advance(10_000_000);
    expect(billing.circuit).toMatchObject({ state: 'isolated', retryAfterMs: Infinity });
    expect(await billing.outcome(succeed)).toMatchObject({ code: 'circuit_open' });
    billing.circuit.release();
    expect(await calls('+')).toBe('closed');
    expect(changes).toEqual(['closed → isolated: isolated', 'isolated → closed: released']);
  });

  it('is isolated though probes are out, and their results do not end that', async () => {
    const { billing, calls, clock } = circuit({ window: consecutive(1), ...PROBES });
    await calls('-');
    await clock.advance(30_000);
    const probes = crowd(billing, 2);
    billing.circuit.isolate();
    for (const { resolve } of probes.calls) resolve();
    await clock.advance(60_000);
    expect(billing.circuit.state).toBe('isolated');
  });

  it('starts with an empty window when it is released, though it was closed', async () => {
    const { billing, calls } = circuit({ window: consecutive(2) });
    await calls('-');
    billing.circuit.release();
    expect(await calls('-')).toBe('closed');
  });

  it('moves on by one timer for all circuits of a clock and an open time', async () => {
    const clock = new VirtualClock();
    const all = Array.from({ length: 100 }, () => circuit({ window: consecutive(1) }, clock));
    for (const { calls } of all) await calls('-');
    expect(clock.pending).toBe(1);
    await clock.advance(30_000);
    for (const { billing } of all) expect(billing.circuit.state).toBe('half_open');
  });
});

const throughJson = (snapshot: BreakerSnapshot) => JSON.parse(JSON.stringify(snapshot)) as BreakerSnapshot;

describe('snapshot of a breaker', () => {
  it.each([count(5), time('10s'), consecutive(5), decaying(5)])(
    'goes through JSON with its window: %j',
    async (window) => {
      const rates = window.kind === 'count' || window.kind === 'time' ? { minCalls: 5, failureRate: 1 } : {};
      const [one, other] = [circuit({ window, ...rates }), circuit({ window, ...rates })];
      await one.clock.advance(123_456);
      await one.calls('----');
      other.billing.circuit.restore(throughJson(one.billing.circuit.snapshot()));
      expect(other.billing.circuit.state).toBe('closed');
      expect(await other.calls('-')).toBe('open');
      // The negative control: without the four before, one failure does not open it.
      expect(await circuit({ window, ...rates }).calls('-')).toBe('closed');
    },
  );

  it('has what was left of the open time, and how often it opened', async () => {
    const options = { window: consecutive(1), openFor: exponentialOpen('10s', '60s'), ...PROBES };
    const [one, other] = [circuit(options), circuit(options, new VirtualClock(1e9))];
    await one.calls('-');
    await one.clock.advance(10_000);
    await one.calls('-');
    await one.clock.advance(5_000);
    const snapshot = throughJson(one.billing.circuit.snapshot());
    expect(snapshot).toMatchObject({ state: 'open', openings: 2, openForMs: 15_000 });
    other.billing.circuit.restore(snapshot);
    expect(other.changes).toEqual(['closed → open: restored']);
    await other.clock.advance(14_999);
    expect(other.billing.circuit.state).toBe('open');
    await other.clock.advance(1);
    await other.calls('-');
    expect(other.billing.circuit.retryAfterMs).toBe(40_000);
  });

  it('restores half-open and isolated circuits', async () => {
    const options = { window: consecutive(1), ...PROBES };
    const [one, other] = [circuit(options), circuit(options)];
    await one.calls('-');
    await one.clock.advance(30_000);
    crowd(one.billing, 1);
    other.billing.circuit.restore(throughJson(one.billing.circuit.snapshot()));
    expect(other.billing.circuit.state).toBe('half_open');
    expect(crowd(other.billing, 9).calls).toHaveLength(2);
    one.billing.circuit.isolate();
    other.billing.circuit.restore(throughJson(one.billing.circuit.snapshot()));
    await other.clock.advance(1e6);
    expect(other.billing.circuit.state).toBe('isolated');
  });

  it('begins a new era: results of calls from before it do not count', async () => {
    const { billing } = circuit({ window: consecutive(1) });
    const { calls, outcomes } = crowd(billing, 1);
    billing.circuit.restore(billing.circuit.snapshot());
    calls[0]!.reject(new Error('late'));
    await outcomes[0];
    expect(billing.circuit.state).toBe('closed');
  });

  it.each([
    {},
    { state: 'ajar', openings: 0, openForMs: 0 },
    { state: 'open', openings: -1, openForMs: 0 },
    { state: 'open', openings: 1, openForMs: 'soon' },
  ])('is refused when it is none: %j', (bad) => {
    const { billing } = circuit();
    expect(() => billing.circuit.restore(bad as BreakerSnapshot)).toThrow(TypeError);
    expect(billing.circuit.state).toBe('closed');
  });

  it('keeps the circuit working when the window in it is of another kind or broken', async () => {
    for (const window of [undefined, null, 5, { kind: 'time' }, { kind: 'count', marks: 'abc' }]) {
      const { billing, calls } = circuit({ window: count(2), minCalls: 2 });
      billing.circuit.restore({ state: 'closed', openings: 0, openForMs: 0, window });
      expect(await calls('-')).toBe('closed');
      expect(await calls('-')).toBe('open');
    }
  });
});

describe('a call that waited', () => {
  it('asks the circuit again before it goes', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .breaker({ window: consecutive(1) })
      .bulkhead({ max: 1, queue: 1 });
    const first = crowd(billing, 1);
    const { calls, work } = held();
    const waiting = billing.outcome(work);
    first.calls[0]!.reject(new Error('down'));
    expect(await waiting).toMatchObject({ code: 'circuit_open' });
    expect(calls).toHaveLength(0);
    expect(billing.counts()).toMatchObject({ running: 0, queued: 0 });
  });
});
