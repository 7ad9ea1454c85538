import { describe, expect, it } from '@jest/globals';
import { ClockService } from './clock.service.ts';
import { job, type Job } from './job.ts';
import type { OverdueRun } from './runs.repository.ts';

const START = Date.parse('2026-11-21T12:00:00Z');

/** What replicas share: a table with a primary key, and a clock. */
function aDatabase() {
  const rows = new Map<string, string>();
  const overdue: OverdueRun[] = [];
  const database = {
    nowMs: START,
    away: false,
    rows,
    overdue,
    runsOf: (replica: string) => ({
      look: async () => {
        if (database.away) throw new Error('database away');
        const last = new Map<string, Date>();
        for (const key of rows.keys()) last.set(key.split('@')[0]!, new Date(key.split('@')[1]!));
        return { now: new Date(database.nowMs), last };
      },
      claim: async ({ name }: Job, tick: Date) => {
        const key = `${name}@${tick.toISOString()}`;
        if (rows.has(key)) return false;
        rows.set(key, replica);
        return true;
      },
      overdue: async () => overdue,
      again: async () => 'failed' as const,
    }),
  };
  return database;
}

const options = { lookMs: 1000, graceMs: 60_000, onRun: () => {}, onOverdue: () => {}, onError: () => {} };
const everyTen = [job('every-ten', '*/10 * * * * *', { missed: 'all' })];

describe('the clock of the jobs', () => {
  it('announces each tick once, over replicas', async () => {
    const database = aDatabase();
    const ran: string[] = [];
    const replicas = ['a', 'b', 'c'].map(
      (replica) =>
        new ClockService(everyTen, database.runsOf(replica), {
          ...options,
          onRun: ({ tick }) => void ran.push(tick.toISOString().slice(14, 19)),
        }),
    );
    for (let second = 0; second < 60; second++, database.nowMs += 1000)
      await Promise.all(replicas.map((replica) => replica.look()));
    expect(ran).toEqual(['00:00', '00:10', '00:20', '00:30', '00:40', '00:50']);
  });

  it('makes up for a time in which the database was away, and says what was passed over', async () => {
    const database = aDatabase();
    const errors: unknown[] = [];
    const told: [string, number][] = [];
    const jobs = [...everyTen, job('latest', '*/10 * * * * *', { missed: 'once' })];
    const clock = new ClockService(jobs, database.runsOf('a'), {
      ...options,
      onRun: ({ job, tick }, passedOver) =>
        void told.push([`${job} ${tick.toISOString().slice(14, 19)}`, passedOver]),
      onError: (error) => void errors.push(error),
    });
    expect(await clock.look()).toBe(true);
    told.length = 0;
    database.away = true;
    expect(await clock.look()).toBe(false);
    expect(errors).toMatchObject([{ message: 'database away' }]);
    database.away = false;
    database.nowMs += 35_000;
    await clock.look();
    expect(told).toEqual([
      ['every-ten 00:10', 0],
      ['every-ten 00:20', 0],
      ['every-ten 00:30', 0],
      ['latest 00:30', 2],
    ]);
  });

  it('tells of runs that were given up', async () => {
    const database = aDatabase();
    const given: unknown[] = [];
    database.overdue.push({ job: 'every-ten', tick: new Date(START), attempts: 3 });
    const onOverdue = (...how: unknown[]) => void given.push(how);
    await new ClockService([], database.runsOf('a'), { ...options, onOverdue }).look();
    expect(given).toEqual([[database.overdue[0], 'failed']]);
  });
});
