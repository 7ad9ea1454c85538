import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ClockService } from './clock.service.ts';
import { createDataSource } from './data-source.factory.ts';
import { job, type Job } from './job.ts';
import type { FinishedJob } from './run.ts';
import { RunsRepository } from './runs.repository.ts';

/** On a real PostgreSQL, which `npm test` starts. Time is the database's: rows are made older instead of waiting. */
const database = `scheduler_${randomUUID().replaceAll('-', '')}`;
const server = new DataSource({
  type: 'postgres',
  url: process.env['POSTGRES_URL']!,
  installExtensions: false,
});
const url = Object.assign(new URL(process.env['POSTGRES_URL']!), { pathname: `/${database}` });
const dataSource = createDataSource({ DATABASE_URL: url.href, DATABASE_POOL_MAX: 12 });
const replica = (name: string) =>
  new RunsRepository(dataSource, name, { RUN_TIMEOUT_S: 60, RUN_ATTEMPTS: 3 });
const runs = replica('a');

beforeAll(async () => {
  await server.initialize();
  await server.query(`CREATE DATABASE ${database}`);
  await dataSource.initialize();
  await dataSource.runMigrations();
});

afterAll(async () => {
  if (dataSource.isInitialized) await dataSource.destroy();
  if (!server.isInitialized) return;
  await server.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await server.destroy();
});

afterEach(() => dataSource.query('TRUNCATE job_run, job_report, outbox, inbox'));

const EVERY_SECOND = '* * * * * *';
const cleanUp = job('clean-up', EVERY_SECOND, { missed: 'all', doneBy: ['orders', 'payments'] });
const second = (ms: number) => new Date(Math.floor(ms / 1000) * 1000);
const announced = (name = cleanUp.name) =>
  dataSource.query<{ id: string; attempt: number }[]>(
    `SELECT event ->> 'id' AS id, (event -> 'data' ->> 'attempt')::int AS attempt FROM outbox WHERE key = $1 ORDER BY id`,
    [name],
  );
const shown = async () =>
  (await runs.list({ limit: 10 })).map(({ state, attempts }) => ({ state, attempts }));

/** A look that is good for a minute: how long this machine takes until it claims is nothing to these tests. */
async function looked(of: Job = cleanUp) {
  const { now, last } = await runs.look([of.name]);
  return { now: new Date(now.getTime() + 60_000), last: last.get(of.name) };
}
async function claimed(of: Job = cleanUp) {
  const { now, last } = await looked(of);
  const tick = second(now.getTime());
  expect(await runs.claim(of, tick, { now, last })).toBe(true);
  return tick;
}
const overdueBy = (seconds: number) =>
  dataSource.query(`UPDATE job_run SET due_by = clock_timestamp() - make_interval(secs => $1)`, [seconds]);
const aReport = (tick: Date, service: string, more: Partial<FinishedJob> = {}): FinishedJob => ({
  ...{ job: cleanUp.name, tick: tick.toISOString(), attempt: 1, service, outcome: 'done', tookMs: 5 },
  ...more,
});
const report = (
  told: FinishedJob,
  id = `${told.job}@${told.tick}/${told.service}/${told.attempt}/${told.outcome}`,
) => runs.report(id, told);

describe('a tick', () => {
  it('goes to one of many replicas that claim it at once, and is announced once', async () => {
    const { now } = await looked();
    const tick = second(now.getTime());
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, i) => replica(`replica-${i}`).claim(cleanUp, tick, { now })),
    );
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await announced()).toEqual([{ id: `clean-up@${tick.toISOString()}`, attempt: 1 }]);
  });

  it('is announced by nobody else while another replica is about to commit it', async () => {
    const { now } = await looked();
    const tick = second(now.getTime());
    const rival = dataSource.createQueryRunner();
    await rival.startTransaction();
    await rival.query(`INSERT INTO job_run (job, tick, replica) VALUES ('clean-up', $1, 'rival')`, [tick]);
    const claims = Promise.all([1, 2, 3].map(() => runs.claim(cleanUp, tick, { now })));
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`;
    while ((await server.query<unknown[]>(waiting, [database])).length < 3);
    await rival.commitTransaction();
    await rival.release();
    expect(await claims).toEqual([false, false, false]);
    expect(await announced()).toEqual([]);
  });

  it('is not announced on a look that is old, as of a replica that was paused', async () => {
    const { now } = await runs.look([cleanUp.name]);
    const before = new Date(now.getTime() - 3000);
    expect(await runs.claim(cleanUp, second(before.getTime()), { now: before })).toBe(false);
    expect(await announced()).toEqual([]);
  });

  it('is not announced after a later one that another replica chose meanwhile', async () => {
    const { now } = await looked();
    await claimed();
    expect(await runs.claim(cleanUp, second(now.getTime() - 1000), { now })).toBe(false);
    expect(await announced()).toHaveLength(1);
  });

  it('is found again as the last one, and kept as that however old it is', async () => {
    const tick = await claimed();
    expect((await runs.look(['clean-up', 'other'])).last).toEqual(new Map([['clean-up', tick]]));
    await dataSource.query(`UPDATE job_run SET tick = tick - interval '9 days'`);
    expect(await runs.forget(7)).toBe(0);
    await claimed();
    expect(await runs.forget(7)).toBe(1);
  });
});

describe('replicas whose own clocks are five minutes off', () => {
  // Only Date is another; whatever else asks for the time in this process goes by it as well.
  const RealDate = Date;
  const atSkew = async (skewMs: number, work: () => Promise<unknown>) => {
    globalThis.Date = class extends RealDate {
      constructor(...args: unknown[]) {
        super(...((args.length === 0 ? [RealDate.now() + skewMs] : args) as [number]));
      }
      static override now = () => RealDate.now() + skewMs;
    } as DateConstructor;
    try {
      await work();
    } finally {
      globalThis.Date = RealDate;
    }
  };

  it.each([-300_000, 300_000])(
    'announce what is due by the clock of the database (%i ms)',
    async (skewMs) => {
      const ran: Date[] = [];
      const clock = new ClockService([cleanUp], runs, {
        ...{ lookMs: 1000, graceMs: 60_000, onOverdue: () => {} },
        onError: (error) => expect(error).toBeUndefined(),
        onRun: ({ tick }) => void ran.push(tick),
      });
      const databaseTime = async () =>
        (await dataSource.query<[{ now: Date }]>('SELECT clock_timestamp() AS now'))[0].now.getTime();
      const before = await databaseTime();
      await atSkew(skewMs, async () => {
        // A machine that is busy for two seconds between look and claim has to look again.
        for (let looks = 0; ran.length === 0 && looks < 20; looks++) await clock.look();
      });
      const after = await databaseTime();
      expect(ran).toHaveLength(1);
      const [{ time }] = await dataSource.query<[{ time: string }]>(
        `SELECT event ->> 'time' AS time FROM outbox`,
      );
      for (const [at, from] of [
        [ran[0]!.getTime(), second(before).getTime()],
        [Date.parse(time), before],
      ] as const) {
        expect(at).toBeGreaterThanOrEqual(from);
        expect(at).toBeLessThanOrEqual(after);
      }
    },
  );
});

describe('a run', () => {
  it('is finished by the last of its reports, whichever that is, each counted once', async () => {
    const tick = await claimed();
    expect(await report(aReport(tick, 'orders', { result: { replies: 2 } }))).toBe(false);
    expect(await report(aReport(tick, 'orders'))).toBe(false);
    expect(await shown()).toEqual([{ state: 'announced', attempts: 1 }]);
    expect(await report(aReport(tick, 'payments'))).toBe(true);
    expect(await report(aReport(tick, 'payments'), 'another message')).toBe(false);
    const [run] = await runs.list({ job: 'clean-up', limit: 1 });
    expect(run).toMatchObject({
      tick,
      state: 'finished',
      replica: 'a',
      reports: [
        { service: 'orders', outcome: 'done', result: { replies: 2 } },
        { service: 'payments', outcome: 'done', result: null },
      ],
    });
  });

  it('is not finished by a failure, which a success makes good and never the other way round', async () => {
    const tick = await claimed();
    await report(aReport(tick, 'orders'));
    const failed = { outcome: 'failed', error: 'no disk' } as const;
    expect(await report(aReport(tick, 'payments', failed))).toBe(false);
    expect(await report(aReport(tick, 'orders', failed))).toBe(false);
    const [run] = await runs.list({ limit: 1 });
    expect(run!.reports.map(({ outcome, error }) => [outcome, error])).toEqual([
      ['done', null],
      ['failed', 'no disk'],
    ]);
    await report(aReport(tick, 'payments', { ...failed, attempt: 2, error: 'no disk yet' }));
    await report(aReport(tick, 'payments', failed));
    expect((await runs.list({ limit: 1 }))[0]!.reports[1]).toMatchObject({
      attempt: 2,
      error: 'no disk yet',
    });
    expect(await report(aReport(tick, 'payments', { attempt: 2 }))).toBe(true);
  });

  it('is announced again under the same id, by one replica, when reports are late', async () => {
    const tick = await claimed();
    expect(await runs.overdue()).toEqual([]);
    await overdueBy(1);
    const [late] = await runs.overdue();
    const again = await Promise.all([runs, replica('b')].map((each) => each.again(late!, new Date())));
    expect(again.filter(Boolean)).toEqual(['announced']);
    expect(await announced()).toEqual(
      [1, 2].map((attempt) => ({ id: `clean-up@${tick.toISOString()}`, attempt })),
    );
    expect(await runs.overdue()).toEqual([]);
  });

  it('is given up after the third time, and still finished by reports that come then', async () => {
    const tick = await claimed();
    const outcomes = [];
    for (let i = 0; i < 3; i++) {
      await overdueBy(1);
      for (const late of await runs.overdue()) outcomes.push(await runs.again(late, new Date()));
    }
    expect(outcomes).toEqual(['announced', 'announced', 'failed']);
    expect(await shown()).toEqual([{ state: 'failed', attempts: 3 }]);
    expect(await announced()).toHaveLength(3);
    await report(aReport(tick, 'orders'));
    expect(await report(aReport(tick, 'payments'))).toBe(true);
    expect(await shown()).toEqual([{ state: 'finished', attempts: 3 }]);
  });

  it('that was forgotten takes no report', async () => {
    expect(await report(aReport(new Date(0), 'orders'))).toBe(false);
    expect(await runs.list({ limit: 10 })).toEqual([]);
  });

  it('of the version before, which asks for no reports, is neither overdue nor in the way', async () => {
    await dataSource.query(`INSERT INTO job_run (job, tick, replica) VALUES ('clean-up', now(), 'old')`);
    expect(await runs.overdue()).toEqual([]);
    expect(await shown()).toEqual([{ state: 'finished', attempts: 1 }]);
  });
});
