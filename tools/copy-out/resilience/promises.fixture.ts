import {
  adaptive,
  BulkheadFullError,
  CircuitOpenError,
  consecutive,
  constant,
  count,
  DeadlineExceededError,
  decorators,
  isRejection,
  knownMistakes,
  pipeline,
  TimeoutError,
  type CallContext,
} from '@cairn/resilience';
import { VirtualClock } from '@cairn/resilience/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** What the library promises, asked of the package that people install. Plain node:test: there is nothing else there. */
const fails = () => Promise.reject(new Error('503'));
const hangs = (ctx: CallContext) =>
  new Promise<never>((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));

void test('a breaker opens, refuses, lets probes through and closes', async () => {
  const clock = new VirtualClock();
  const states: string[] = [];
  const billing = pipeline({ name: 'billing', clock }).breaker({
    window: consecutive(3),
    openFor: '30s',
    halfOpen: { calls: 2, successes: 2 },
  });
  billing.on('stateChange', ({ to, reason }) => states.push(`${to}: ${reason}`));
  for (let i = 0; i < 3; i++) await assert.rejects(billing.execute(fails), /503/);
  const refused = await billing.outcome(() => assert.fail('it must not be called'));
  assert.equal(refused.status, 'rejected');
  assert.ok('error' in refused && refused.error instanceof CircuitOpenError);
  assert.equal(refused.error.code, 'circuit_open');
  assert.equal(refused.error.retryAfterMs, 30_000);
  await clock.advance(30_000);
  assert.equal(billing.circuit.state, 'half_open');
  await billing.execute(() => 'well');
  await billing.execute(() => 'well');
  assert.deepEqual(states, [
    'open: failures_in_a_row',
    'half_open: open_time_over',
    'closed: probes_succeeded',
  ]);
});

void test('a retry waits, is bounded by its budget, and wants to know that a call is idempotent', async () => {
  const clock = new VirtualClock();
  const retrying = (idempotent: boolean) =>
    pipeline({ name: 'billing', clock }).retry({
      attempts: 3,
      idempotent,
      backoff: constant('100ms'),
      jitter: 'none',
      budget: { ratio: 0, perSecond: 1 },
    });
  const billing = retrying(true);
  const times: number[] = [];
  const call = billing.execute(({ attempt }) => {
    times.push(clock.now());
    return attempt < 2 ? fails() : 'done';
  });
  await clock.advance(100);
  assert.equal(await call, 'done');
  assert.deepEqual(times, [0, 100]);
  await assert.rejects(billing.execute(fails), /503/);
  assert.equal(billing.counts().retriesDenied.budget, 1);

  const careful = retrying(false);
  await assert.rejects(careful.execute(fails), /503/);
  assert.equal(careful.counts().retriesDenied.not_idempotent, 1);
});

void test('a time-out aborts the call, and the place stays taken until the work has ended', async () => {
  const clock = new VirtualClock();
  const files = pipeline({ name: 'files', clock }).bulkhead({ max: 1 }).timeout('800ms');
  let end = () => {};
  const slow = files.execute((ctx) => {
    assert.equal(ctx.signal.aborted, false);
    return new Promise<void>((resolve) => (end = resolve));
  });
  const timedOut = assert.rejects(slow, (error) => error instanceof TimeoutError && error.timeoutMs === 800);
  await clock.advance(800);
  await timedOut;
  assert.equal(files.counts().abandoned, 1);
  await assert.rejects(
    files.execute(() => 'too many'),
    (error) => error instanceof BulkheadFullError && isRejection(error) && !/\n +at /.test(error.stack ?? ''),
  );
  end();
  await clock.settle();
  assert.equal(await files.execute(() => 'there is room'), 'there is room');
});

void test('a bulkhead serves first come, first served, and a cancelled wait leaves at once', async () => {
  const mail = pipeline({ name: 'mail', clock: new VirtualClock() }).bulkhead({ max: 1, queue: 3 });
  const order: number[] = [];
  const leaving = new AbortController();
  const first = mail.execute(async () => void order.push(1));
  const second = mail.execute(() => void order.push(2), { signal: leaving.signal });
  const third = mail.execute(() => void order.push(3));
  leaving.abort(new Error('the user has left'));
  await assert.rejects(second, { name: 'AbortError', code: 'cancelled' });
  await Promise.all([first, third]);
  assert.deepEqual(order, [1, 3]);
});

void test('a deadline ends it all, and a fallback answers', async () => {
  const clock = new VirtualClock();
  const prices = pipeline({ name: 'prices', clock })
    .fallback(({ status, error }) => [status, error])
    .deadline('2s')
    .retry({ attempts: 10, idempotent: true, backoff: constant('100ms') })
    .timeout('1500ms');
  const call = prices.execute(hangs);
  await clock.advance(5_000);
  const [status, error] = (await call) as [string, unknown];
  assert.equal(status, 'failed');
  assert.ok(error instanceof DeadlineExceededError);
});

void test('hedges, rate limits and adaptive bulkheads go together', async () => {
  const clock = new VirtualClock();
  const search = pipeline({ name: 'search', clock })
    .hedge({ after: '50ms', idempotent: true })
    .breaker({ window: count(10) })
    .bulkhead(adaptive({ max: 10 }))
    .rateLimit({ limit: 100, per: '1s' });
  const call = search.execute((ctx) => (ctx.attempt === 1 ? hangs(ctx) : 'the second one'));
  await clock.advance(50);
  assert.equal(await call, 'the second one');
  assert.equal(search.counts().hedges, 1);
});

void test('chaos is off until it is switched on', async () => {
  const billing = pipeline('billing');
  assert.equal(await billing.execute(() => 'well'), 'well');
  billing.chaos.set({ fault: { error: () => new Error('on purpose') } });
  await assert.rejects(
    billing.execute(() => 'well'),
    /on purpose/,
  );
  billing.chaos.clear();
  assert.equal(await billing.execute(() => 'well'), 'well');
});

void test('@Resilient runs methods through a pipeline', async () => {
  const billing = pipeline({ name: 'billing', clock: new VirtualClock() }).retry({
    attempts: 2,
    idempotent: true,
    backoff: constant(0),
  });
  const { Resilient } = decorators({ billing });
  class Charges {
    tries = 0;
    @Resilient('billing')
    async charge(order: string): Promise<string> {
      this.tries++;
      return order;
    }
  }
  const charges = new Charges();
  assert.equal(await charges.charge('order-1'), 'order-1');
  assert.deepEqual([charges.tries, billing.counts().calls], [1, 1]);
});

void test('bad options are refused where they are given, and known mistakes are named', () => {
  assert.throws(
    () => pipeline('billing').breaker({ failureRate: 3 }),
    /failureRate must be in \(0, 1\], got 3/,
  );
  assert.equal(knownMistakes({ jitter: 'none', successThreshold: 1 }).length, 2);
});
