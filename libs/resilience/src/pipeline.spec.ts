import { describe, expect, it } from '@jest/globals';
import { adaptive } from './adaptive.ts';
import { pipeline, type Pipeline } from './pipeline.ts';
import { ORDER } from './plan.ts';
import { VirtualClock } from './testing/index.ts';
import { consecutive, count } from './window.ts';
import { crowd, fail, succeed } from './work.fixture.ts';

const STEPS: Record<(typeof ORDER)[number], (to: Pipeline<unknown>) => Pipeline<unknown>> = {
  fallback: (to) => to.fallback(() => 'instead'),
  deadline: (to) => to.deadline('2s'),
  retry: (to) => to.retry({ attempts: 2, idempotent: true }),
  hedge: (to) => to.hedge({ after: '50ms', idempotent: true }),
  breaker: (to) => to.breaker(),
  bulkhead: (to) => to.bulkhead({ max: 2 }),
  rateLimit: (to) => to.rateLimit({ limit: 10, per: '1s' }),
  timeout: (to) => to.timeout('1s'),
};

describe('pipeline', () => {
  it('takes its steps in one order, outermost first, each at most once', () => {
    const rule =
      'a pipeline has each step once, outermost first: ' +
      'fallback, deadline, retry, hedge, breaker, bulkhead, rateLimit, timeout';
    for (const [i, first] of ORDER.entries()) {
      for (const [j, second] of ORDER.entries()) {
        const build = () => STEPS[second](STEPS[first](pipeline('billing')));
        if (j > i) expect(build).not.toThrow();
        else expect(build).toThrow(new RangeError(`.${second}() can't come after .${first}(): ${rule}`));
      }
    }
  });

  it('works with any choice of steps, whatever the others are', async () => {
    for (let choice = 0; choice < 2 ** ORDER.length; choice++) {
      const clock = new VirtualClock();
      const chosen = ORDER.filter((_, i) => choice & (1 << i));
      const made = chosen.reduce<Pipeline<unknown>>(
        (to, step) => STEPS[step](to),
        pipeline({ name: 'billing', clock }),
      );
      const outcomes = [succeed, fail].map((work) => made.outcome<unknown>(work));
      await clock.advance(10_000);
      const [up, down] = await Promise.all(outcomes);
      expect(up).toEqual({ status: 'ok', value: 'up' });
      expect(down!.status).toBe(chosen.includes('fallback') ? 'ok' : 'failed');
      const retried = chosen.includes('retry') ? 1 : 0;
      const counts = made.counts();
      expect(counts).toMatchObject({ calls: 2, ok: 1, failed: 1, retries: retried, attempts: 2 + retried });
      expect(counts).toMatchObject({ running: 0, queued: 0, abandoned: 0, rejected: 0 });
    }
  });

  it('is left as it was by a step: that gives another one, with a state of its own', async () => {
    const base = pipeline('billing').breaker({ window: consecutive(1) });
    const longer = base.timeout('1s');
    await longer.outcome(fail);
    expect(longer.circuit.state).toBe('open');
    expect(base.circuit.state).toBe('closed');
    expect(base.counts().calls).toBe(0);
    expect(await base.execute(succeed)).toBe('up');
  });

  it('has a name, by which errors tell what is meant', () => {
    expect(pipeline('billing').timeout('1s').name).toBe('billing');
    for (const name of ['', undefined, 5]) {
      expect(() => pipeline({ name: name as string })).toThrow('name must be the name of a dependency, got');
    }
    expect(() => pipeline('billing').circuit).toThrow(new TypeError('pipeline "billing" has no breaker'));
  });

  it('makes a function of another one, behind it', async () => {
    const add = pipeline('adding').wrap(async (ctx, a: number, b: number) => a + b + ctx.attempt);
    expect(await add(1, 2)).toBe(4);
  });

  it('gives counts as they are now, and nobody can change them', async () => {
    const billing = pipeline('billing').breaker();
    const before = billing.counts();
    before.calls = 99;
    before.rejections.circuit_open = 99;
    before.retriesDenied.budget = 99;
    await billing.execute(succeed);
    expect(billing.counts()).toMatchObject({
      calls: 1,
      ok: 1,
      rejections: { circuit_open: 0 },
      retriesDenied: { budget: 0 },
    });
  });

  it('counts what runs and what waits', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).bulkhead({ max: 2, queue: 3 });
    const { calls } = crowd(billing, 9);
    expect(billing.counts()).toMatchObject({ running: 2, queued: 3 });
    await clock.settle();
    expect(billing.counts()).toMatchObject({ rejected: 4, rejections: { bulkhead_full: 4 } });
    for (let i = 0; i < 5; i++) {
      calls[i]!.resolve();
      await clock.settle();
    }
    expect(billing.counts()).toMatchObject({ running: 0, queued: 0, ok: 5 });
  });

  it.each<[string, (to: Pipeline) => unknown]>([
    ['deadline must be a duration above 0', (to) => to.deadline(0)],
    ["deadline must be a duration above 0 such as 250, '250ms' or '2s', got -1", (to) => to.deadline(-1)],
    ['timeout must be a duration above 0', (to) => to.timeout(NaN)],
    ['got "2 s"', (to) => to.timeout('2 s' as '2s')],
    [
      'retry.attempts must be a whole number from 1, got 0',
      (to) => to.retry({ attempts: 0, idempotent: true }),
    ],
    [
      'retry.idempotent must be true (any call may be made twice) or false (only calls with `idempotent` or an ' +
        '`idempotencyKey`), got undefined',
      (to) => to.retry({ attempts: 2 } as never),
    ],
    [
      `jitter must be 'full', 'equal' or 'none', got "ful"`,
      (to) => to.retry({ attempts: 2, idempotent: true, jitter: 'ful' as 'full' }),
    ],
    [
      'ratio must be in [0, 1], got 3',
      (to) => to.retry({ attempts: 2, idempotent: true, budget: { ratio: 3 } }),
    ],
    [
      'budget has no option "rate". There are: ratio, perSecond',
      (to) => to.retry({ attempts: 2, idempotent: true, budget: { rate: 3 } as never }),
    ],
    [
      'retry has no option "max". There are: attempts, idempotent, backoff',
      (to) => to.retry({ attempts: 2, idempotent: true, max: 2 } as never),
    ],
    ['hedge.after must be a duration', (to) => to.hedge({ after: 0, idempotent: true })],
    [
      'hedge.max must be a whole number from 1, got 0',
      (to) => to.hedge({ after: 1, max: 0, idempotent: true }),
    ],
    ['hedge.idempotent must be', (to) => to.hedge({ after: 1 } as never)],
    ['breaker.failureRate must be in (0, 1], got 3', (to) => to.breaker({ failureRate: 3 })],
    ['breaker.slowRate must be in (0, 1], got 0', (to) => to.breaker({ slowRate: 0 })],
    [
      'breaker.minCalls must be a whole number from 1 to 10, got 11',
      (to) => to.breaker({ window: count(10), minCalls: 11 }),
    ],
    ['breaker.slowAfter must be a duration', (to) => to.breaker({ slowAfter: 0 })],
    ['breaker.openFor must be a duration', (to) => to.breaker({ openFor: 0 })],
    [
      'breaker.halfOpen.calls must be a whole number from 1, got 0',
      (to) => to.breaker({ halfOpen: { calls: 0 } }),
    ],
    [
      'breaker.halfOpen.successes must be a whole number from 1 to 2, got 3',
      (to) => to.breaker({ halfOpen: { calls: 2, successes: 3 } }),
    ],
    ['breaker.halfOpen.maxWait must be a duration', (to) => to.breaker({ halfOpen: { maxWait: 0 } })],
    [
      'breaker.failureRate means nothing with consecutive()',
      (to) => to.breaker({ window: consecutive(2), failureRate: 0.5 }),
    ],
    ['bulkhead.max must be a whole number from 1, got 1.5', (to) => to.bulkhead({ max: 1.5 })],
    ['bulkhead.queue must be a whole number from 0, got -1', (to) => to.bulkhead({ max: 1, queue: -1 })],
    ['bulkhead.queueTimeout must be', (to) => to.bulkhead({ max: 1, queue: 1, queueTimeout: 0 })],
    ['limit must be a whole number from 1, got 0', (to) => to.rateLimit({ limit: 0, per: '1s' })],
  ])('refuses bad options where they are given, and quotes them: %s', (message, build) => {
    expect(() => build(pipeline('billing'))).toThrow(RangeError);
    expect(() => build(pipeline('billing'))).toThrow(message);
  });

  it('learns the size of its bulkhead, when that is adaptive', async () => {
    const clock = new VirtualClock();
    const limits = { min: 1, max: 50, initial: 20 };
    const grows = pipeline({ name: 'grows', clock }).bulkhead(adaptive({ ...limits, queue: 1_000 }));
    const shrinks = pipeline({ name: 'shrinks', clock }).bulkhead(adaptive(limits));
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
    for (let i = 0; i < 200; i++) {
      for (let j = 0; j < 10; j++) {
        void grows.outcome(() => wait(100));
        void shrinks.outcome(() => wait(100).then(fail));
      }
      await clock.advance(20);
    }
    expect(grows.counts().running).toBe(50);
    expect(shrinks.counts().running).toBeLessThan(5);
    expect(shrinks.counts().rejections.bulkhead_full).toBeGreaterThan(1_000);
  });
});

describe('chaos in a pipeline', () => {
  const faulty = () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock, random: () => 0.5 })
      .breaker({ window: consecutive(3) })
      .timeout('1s');
    return { clock, billing };
  };

  it('is off by default', async () => {
    const { billing } = faulty();
    expect(billing.chaos.active).toBe(false);
    expect(await billing.execute(succeed)).toBe('up');
  });

  it('is met by the steps around it, as what the other side does', async () => {
    const { billing, clock } = faulty();
    billing.chaos.set({ fault: { error: () => new Error('planned') } });
    expect(await billing.outcome(succeed)).toMatchObject({ error: new Error('planned') });
    billing.chaos.set({ outcome: { value: () => 'made up' } });
    expect(await billing.outcome(succeed)).toEqual({ status: 'ok', value: 'made up' });
    billing.chaos.set({ latency: { delay: '2s' } });
    for (let i = 0; i < 3; i++) void billing.outcome(succeed);
    await clock.advance(1_000);
    expect(billing.circuit.state).toBe('open');
    billing.circuit.release();
    billing.chaos.clear();
    expect(await billing.execute(succeed)).toBe('up');
  });

  it('does not begin work that was given up during its latency', async () => {
    const { billing, clock } = faulty();
    billing.chaos.set({ latency: { delay: '2s' } });
    const { calls, outcomes } = crowd(billing, 1);
    await clock.advance(1_000);
    expect(await outcomes[0]).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    await clock.advance(60_000);
    expect(calls).toHaveLength(0);
    expect(billing.counts()).toMatchObject({ abandoned: 0, running: 0 });
  });

  it('disturbs calls that have no step around them, too', async () => {
    const bare = pipeline('bare');
    bare.chaos.set({ fault: { error: () => new Error('planned') } });
    await expect(bare.execute(succeed)).rejects.toThrow('planned');
  });
});
