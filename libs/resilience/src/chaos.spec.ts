import { describe, expect, it } from '@jest/globals';
import { Chaos, type ChaosPlan } from './chaos.ts';
import { seeded } from './seeded.fixture.ts';

/** A call on which chaos is let loose, and what came of it. */
function target(chaos: Chaos, { random = seeded(1), wait = (_ms: number) => Promise.resolve() } = {}) {
  const waits: number[] = [];
  const tools = { random, wait: (ms: number) => (waits.push(ms), wait(ms)) };
  const made = { calls: 0, waits, call: () => chaos.around(() => (made.calls++, 'real'), tools) };
  return made;
}

const planned = (plan: ChaosPlan) => {
  const chaos = new Chaos();
  chaos.set(plan);
  return chaos;
};

describe('chaos', () => {
  it('is off by default and leaves calls alone', async () => {
    const chaos = new Chaos();
    expect(chaos.active).toBe(false);
    const { call, waits } = target(chaos);
    expect(await call()).toBe('real');
    expect(waits).toEqual([]);
  });

  it('delays calls and makes them all the same', async () => {
    const made = target(planned({ latency: { delay: '2s' } }));
    expect(await made.call()).toBe('real');
    expect(made.waits).toEqual([2_000]);
    expect(made.calls).toBe(1);
  });

  it('fails calls with an error of its own each, without making them', async () => {
    let count = 0;
    const made = target(planned({ fault: { error: () => new Error(`planned ${++count}`) } }));
    await expect(made.call()).rejects.toThrow('planned 1');
    await expect(made.call()).rejects.toThrow('planned 2');
    expect(made.calls).toBe(0);
  });

  it('answers calls with a made-up value, without making them', async () => {
    const made = target(planned({ outcome: { value: () => 'made up' } }));
    expect(await made.call()).toBe('made up');
    expect(made.calls).toBe(0);
  });

  it('delays first, then fails, and answers what has not failed', async () => {
    const chaos = planned({
      latency: { delay: 100 },
      fault: { error: () => new Error('planned'), rate: 0.5 },
      outcome: { value: () => 'made up' },
    });
    const draws = [0, 0.9, 0, 0, 0.1];
    const made = target(chaos, { random: () => draws.shift()! });
    expect(await made.call()).toBe('made up');
    await expect(made.call()).rejects.toThrow('planned');
    expect(made.waits).toEqual([100, 100]);
    expect(made.calls).toBe(0);
  });

  it('disturbs the planned share of calls, each kind by a draw of its own', async () => {
    const chaos = planned({
      latency: { delay: 1, rate: 0.5 },
      fault: { error: () => new Error('planned'), rate: 0.2 },
      outcome: { value: () => 'made up', rate: 0.25 },
    });
    const made = target(chaos);
    const seen = new Map<unknown, number>();
    for (let call = 0; call < 10_000; call++) {
      const came = await made.call().catch((error: Error) => error.message);
      seen.set(came, (seen.get(came) ?? 0) + 1);
    }
    const share = (came: string) => (seen.get(came) ?? 0) / 10_000;
    expect(made.waits.length / 10_000).toBeCloseTo(0.5, 1);
    expect(share('planned')).toBeCloseTo(0.2, 1);
    expect(share('made up')).toBeCloseTo(0.8 * 0.25, 1);
    expect(share('real')).toBeCloseTo(0.8 * 0.75, 1);
  });

  it('does not make a call that was aborted while it was delayed', async () => {
    const aborted = new Error('aborted');
    const made = target(planned({ latency: { delay: '1h' } }), { wait: () => Promise.reject(aborted) });
    await expect(made.call()).rejects.toBe(aborted);
    expect(made.calls).toBe(0);
  });

  it('is switched at run time; a call keeps the plan it began with', async () => {
    const chaos = planned({ latency: { delay: 1 }, fault: { error: () => new Error('planned') } });
    expect(chaos.active).toBe(true);
    const late = Promise.withResolvers<void>();
    const begun = target(chaos, { wait: () => late.promise }).call();
    chaos.clear();
    expect(chaos.active).toBe(false);
    expect(await target(chaos).call()).toBe('real');
    late.resolve();
    await expect(begun).rejects.toThrow('planned');
  });

  it('replaces a plan as a whole, and takes an empty one for none', async () => {
    const chaos = planned({ fault: { error: () => new Error('planned') } });
    chaos.set({ latency: { delay: 5 } });
    expect(await target(chaos).call()).toBe('real');
    chaos.set({});
    expect(chaos.active).toBe(false);
  });

  it('copies the plan', async () => {
    const latency = { delay: 5 };
    const made = target(planned({ latency }));
    latency.delay = 10;
    await made.call();
    expect(made.waits).toEqual([5]);
  });

  it('turns what a call throws at once into a rejection', async () => {
    const call = new Chaos().around(
      () => {
        throw new Error('at once');
      },
      { random: () => 0, wait: () => Promise.resolve() },
    );
    await expect(call).rejects.toThrow('at once');
  });

  it.each<[unknown, string]>([
    [{ latency: { delay: 0 } }, 'latency.delay must be a duration above 0'],
    [{ latency: { delay: 1, rate: 0 } }, 'latency.rate must be in (0, 1], got 0'],
    [{ fault: { error: () => 1, rate: 1.5 } }, 'fault.rate must be in (0, 1], got 1.5'],
    [{ outcome: { value: () => 1, rate: NaN } }, 'outcome.rate must be in (0, 1], got NaN'],
    [{ fault: { error: 'boom' } }, 'fault.error must be a function, got "boom"'],
    [{ outcome: { value: 5 } }, 'outcome.value must be a function, got 5'],
    [{ faults: {} }, 'chaos must be made of latency, fault and outcome, got "faults"'],
  ])('refuses %j and keeps the plan it had', async (plan, message) => {
    const chaos = planned({ outcome: { value: () => 'as before' } });
    expect(() => chaos.set(plan as ChaosPlan)).toThrow(RangeError);
    expect(() => chaos.set(plan as ChaosPlan)).toThrow(message);
    expect(await target(chaos).call()).toBe('as before');
  });
});
