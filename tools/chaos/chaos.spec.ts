import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Arrivals } from './load/arrivals.ts';
import { controlViolations } from './load/judgement.ts';
import { Ledger, percentile, type Outcome } from './load/ledger.ts';
import { Rotation } from './rolling/readiness.ts';
import { seeded, uuidOf } from './random.ts';
import { RequestPlan, type PlannedRequest } from './load/requests.ts';
import type { Phase } from './rolling/rolling-phase.ts';
import { violations } from './rolling/rolling-verdict.ts';
import { Timeline } from './load/timeline.ts';

describe('arrivals', () => {
  it('come at the rate that was asked for, whatever the steps in which they are asked', () => {
    const fine = new Arrivals(200, seeded(7));
    const steps = Array.from({ length: 60_000 }, (_, ms) => fine.due(ms + 1)).flat();
    expect(new Arrivals(200, seeded(7)).due(60_000)).toEqual(steps);
    expect(steps.length).toBeGreaterThan(11_500);
    expect(steps.length).toBeLessThan(12_500);
  });

  it('that are overdue come all at once, each with the time when it was due: nothing waits for replies', () => {
    const arrivals = new Arrivals(100, seeded(1));
    const due = arrivals.due(5000);
    expect(due.length).toBeGreaterThan(400);
    expect(due).toEqual([...due].sort((a, b) => a - b));
    expect(due[0]).toBeLessThan(200);
    expect(arrivals.nextMs).toBeGreaterThan(5000);
  });

  it('need a rate', () => {
    expect(() => new Arrivals(0, seeded(1))).toThrow('ratePerS must be > 0, got 0');
  });
});

describe('numbers of a seed', () => {
  it('are the same for the same seed, and others for another', () => {
    const ids = (seed: number) =>
      Array.from(
        { length: 50 },
        (
          (random) => () =>
            uuidOf(random)
        )(seeded(seed)),
      );
    expect(ids(3)).toEqual(ids(3));
    expect(new Set([...ids(3), ...ids(4)]).size).toBe(100);
    for (const id of ids(3))
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('a plan of requests', () => {
  const answer = (plan: RequestPlan, request: PlannedRequest) =>
    plan.answered(request, JSON.stringify({ id: `order-of-${request.id}` }));

  it('confirms only drafts that were saved, each once, and reads only orders that were confirmed', () => {
    const plan = new RequestPlan('t', seeded(5));
    const saved = new Set<string>();
    const counts = { draft: 0, confirm: 0, read: 0 };
    for (let i = 0; i < 2000; i++) {
      const request = plan.next();
      counts[request.kind]++;
      if (request.kind === 'draft') saved.add(request.path.split('/').at(-1)!);
      const { draftId } = JSON.parse(request.body ?? '{}') as { draftId?: string };
      if (request.kind === 'confirm') expect(saved.delete(draftId!)).toBe(true);
      if (request.kind === 'read') expect(plan.confirmed).toContain(request.path.split('/').at(-1));
      answer(plan, request);
    }
    expect(counts.confirm).toBe(plan.confirmed.length);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(200);
  });

  it('builds on nothing that was not answered', () => {
    const plan = new RequestPlan('t', seeded(5));
    expect(new Set(Array.from({ length: 200 }, () => plan.next().kind))).toEqual(new Set(['draft']));
  });
});

const request: PlannedRequest = { id: 't-1', kind: 'read', method: 'GET', path: '/orders/1', expected: 200 };
const outcome = (more: Partial<Outcome>): Outcome => ({ request, atMs: 0, tookMs: 5, lateMs: 0, ...more });

describe('a ledger', () => {
  it('counts anything but the expected status as failed', () => {
    const ledger = new Ledger();
    const ok = [
      outcome({ status: 200 }),
      outcome({ status: 201 }),
      outcome({ status: 503 }),
      outcome({ error: 'ECONNRESET' }),
      outcome({ status: 200, error: 'aborted' }),
    ].map((one) => ledger.add(one, () => ''));
    expect(ok).toEqual([true, false, false, false, false]);
    expect(ledger.summary()).toMatchObject({ requests: 5, failed: 4 });
  });

  it('says of a failure when it was, what was done to which replica, and what the balancer saw', () => {
    const ledger = new Ledger(new Date('2026-11-22T10:00:00Z'));
    const upstream = { replica: 'a', error: 'ECONNRESET', during: 'request', reusedSocket: true } as const;
    ledger.upstreamFailed({ id: 't-1', ...upstream });
    const timeline = new Timeline(() => 1400);
    timeline.mark('a', 'SIGTERM');
    ledger.add(outcome({ atMs: 1500, status: 502 }), (from, to) => timeline.during(from, to));
    expect(ledger.failures).toMatchObject([
      {
        id: 't-1',
        at: '2026-11-22T10:00:01.500Z',
        request: 'GET /orders/1',
        got: '502',
        replica: 'a',
        upstream: 'ECONNRESET in the request on a reused connection',
        step: 'a: SIGTERM',
      },
    ]);
    expect(ledger.reasons()).toEqual(['1 × 502 (ECONNRESET in the request on a reused connection)']);
  });

  it('knows rate and percentiles', () => {
    const ledger = new Ledger();
    for (let i = 0; i <= 1000; i++)
      ledger.add(outcome({ atMs: 3000 + i * 5, tookMs: i, status: 200 }), () => '');
    expect(ledger.summary()).toMatchObject({ ratePerS: 200, p50Ms: 500, p99Ms: 990, maxMs: 1000 });
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('the rotation', () => {
  const two = () =>
    new Rotation([
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ]);
  const names = (rotation: ReturnType<typeof two>) =>
    [rotation.next(), rotation.next()].map(({ replica }) => replica?.name).sort();

  it('has a replica from its first good probe on, until one says that it is not ready', () => {
    const rotation = two();
    expect(rotation.probed('a', { answer: 'unready' }, 1)).toBe(false);
    expect(rotation.next()).toEqual({ replica: undefined, open: true });
    expect(rotation.probed('a', { answer: 'ready' }, 2)).toBe(true);
    expect(rotation.probed('b', { answer: 'ready' }, 3)).toBe(true);
    expect(names(rotation)).toEqual(['a', 'b']);
    expect(rotation.probed('a', { answer: 'unready' }, 4)).toBe(true);
    expect(names(rotation)).toEqual(['b', 'b']);
  });

  it('loses a silent one at the third probe, and counts anew after an answer', () => {
    const rotation = two();
    for (const answer of ['ready', 'silent', 'silent', 'ready', 'silent', 'silent'] as const)
      rotation.probed('a', { answer }, 1);
    expect(rotation.isIn('a')).toBe(true);
    expect(rotation.probed('a', { answer: 'silent' }, 2)).toBe(true);
    expect(rotation.isIn('a')).toBe(false);
  });

  it('falls back on a silent one rather than on one that may be about to leave', () => {
    const rotation = two();
    rotation.probed('a', { answer: 'ready' }, 1);
    rotation.probed('b', { answer: 'ready' }, 2);
    for (const at of [3, 4, 5]) rotation.probed('a', { answer: 'silent' }, at);
    rotation.probed('b', { answer: 'unready' }, 6);
    expect(rotation.next()).toMatchObject({ replica: { name: 'a' }, open: true });
  });

  it('falls back on the one that was ready last, but never on one that refused', () => {
    const rotation = two();
    rotation.probed('a', { answer: 'ready' }, 1);
    rotation.probed('b', { answer: 'ready' }, 2);
    rotation.probed('a', { answer: 'unready' }, 3);
    rotation.probed('b', { answer: 'unready' }, 4);
    expect(rotation.next()).toMatchObject({ replica: { name: 'b' }, open: true });
    rotation.probed('b', { answer: 'refused' }, 5);
    rotation.probed('b', { answer: 'unready' }, 6); // a new process that starts
    expect(rotation.next()).toMatchObject({ replica: { name: 'a' }, open: true });
  });
});

describe('a replica without room', () => {
  it('is passed over, and waited for when all are', () => {
    const rotation = new Rotation([
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ]);
    for (const name of ['a', 'b']) rotation.probed(name, { answer: 'ready' }, 1);
    const next = (...full: string[]) => rotation.next(({ name }) => !full.includes(name));
    expect([next('a'), next('a')]).toEqual(Array(2).fill({ replica: { name: 'b', port: 2 }, open: false }));
    expect(next('a', 'b')).toEqual({ replica: undefined, open: false });
    for (const name of ['a', 'b']) rotation.probed(name, { answer: 'unready' }, 2);
    expect(next('a', 'b')).toEqual({ open: false });
  });
});

describe('a timeline', () => {
  it('gives the step before a request and all those during it', () => {
    let now = 0;
    const timeline = new Timeline(() => now);
    for (const [at, what] of [
      [10, 'SIGTERM'],
      [20, 'out'],
      [30, 'gone'],
      [40, 'ready'],
    ] as const) {
      now = at;
      timeline.mark('a', what);
    }
    expect(timeline.during(25, 35)).toBe('a: out → a: gone');
    expect(timeline.during(0, 5)).toBe('');
    expect(timeline.first('a', 'out', 15)).toBe(20);
    expect(timeline.first('a', 'out', 21)).toBeUndefined();
  });
});

describe('a verdict', () => {
  const restart = { replica: 'a', outAfterMs: 500, goneAfterMs: 2200, backAfterMs: 4000, how: 'exit code 0' };
  const good = {
    ...{ name: 'in-order', failed: 0, requests: 10_000, ratePerS: 210, restarts: [restart, restart] },
    orders: { confirmed: 9, stored: 9, missing: 0, paid: 9 },
  } as unknown as Phase;
  const demands = { restarts: 2, leastRequests: 10_000, leastRatePerS: 200 };

  it('has nothing to say when all is well', () => {
    expect(violations(good, demands)).toEqual([]);
  });

  it.each<[string, Partial<Phase>]>([
    ['1 of 10000 requests failed', { failed: 1 }],
    ['only 9999 requests', { requests: 9999 }],
    ['only 180 requests/s', { ratePerS: 180 }],
    ['only 1 of 2 restarts', { restarts: [restart] }],
    ['a left with signal SIGKILL', { restarts: [restart, { ...restart, how: 'signal SIGKILL' }] }],
    ['a left before the balancer knew', { restarts: [restart, { ...restart, outAfterMs: undefined }] }],
    ['a left before the balancer knew', { restarts: [restart, { ...restart, outAfterMs: 2300 }] }],
    ['1 are missing', { orders: { confirmed: 9, stored: 8, missing: 1, paid: 8 } }],
    ['10 are stored', { orders: { confirmed: 9, stored: 10, missing: 0, paid: 9 } }],
    ['8 of 9 orders are paid', { orders: { confirmed: 9, stored: 9, missing: 0, paid: 8 } }],
  ])('finds that %s', (text, wrong) => {
    expect(violations({ ...good, ...wrong }, demands).join('\n')).toContain(text);
  });

  it('wants controls to fail, and orders that were answered to be kept even there', () => {
    expect(controlViolations({ ...good, failed: 3 })).toEqual([]);
    expect(controlViolations({ ...good, failed: 0 })).toEqual([expect.stringContaining('saw no failure')]);
    expect(controlViolations({ ...good, failed: 0 }, false)).toEqual([]);
    const lost = { confirmed: 9, stored: 8, missing: 1, paid: 0 };
    expect(controlViolations({ ...good, failed: 3, orders: lost })).toEqual([
      '"in-order" lost 1 orders that were answered with 201',
    ]);
  });
});

describe('npm run chaos', () => {
  const chaos = (...args: string[]) => {
    const flags = ['--disable-warning=ExperimentalWarning', '--conditions=@cairn/source'];
    const main = join(import.meta.dirname, 'main.ts');
    const { status, stderr } = spawnSync(process.execPath, [...flags, main, ...args], { encoding: 'utf8' });
    return { status, stderr };
  };

  it.each([[[]], [['rollign']]])('with %j lists what there is and exits 2', (args) => {
    const { status, stderr } = chaos(...args);
    expect(stderr).toContain('rolling [--quick]');
    expect(status).toBe(2);
  });

  it.each([
    [['rolling', '--rate', 'fast'], '--rate must be a whole number above 0'],
    [['rolling', '--restart', '3'], "Unknown option '--restart'"],
  ])('with %j says what is wrong and exits 2', (args, text) => {
    const { status, stderr } = chaos(...args);
    expect(stderr).toContain(text);
    expect(status).toBe(2);
  });
});
