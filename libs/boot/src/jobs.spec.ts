import { describe, expect, it } from '@jest/globals';
import { createEvent, type OutboxRow } from '@cairn/messaging';
import { doesJobs, jobReports, type JobReport, type JobWork } from './jobs.ts';

const tick = '2026-11-21T12:00:00.000Z';
const due = createEvent({
  type: 'job.due.v1',
  source: '/scheduler',
  subject: 'clean-up',
  id: `clean-up@${tick}`,
  data: { job: 'clean-up', tick },
  time: new Date(tick),
});
const { signal } = new AbortController();

async function run(work: Record<string, JobWork>, data = { job: 'clean-up', tick }, stop = signal) {
  const reports: JobReport[] = [];
  const handle = doesJobs(async (report) => void reports.push(report), work);
  const thrown = await handle(data, due, { signal: stop }).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { reports, thrown };
}

describe('a job that is due', () => {
  it('is done, at the instant of its tick, and reported with its result', async () => {
    const runs: unknown[] = [];
    const { reports } = await run({
      'clean-up': async (job) => {
        runs.push(job);
        return { forgotten: 3 };
      },
    });
    expect(runs).toEqual([{ tick: new Date(tick), messageId: due.id, signal }]);
    expect(reports).toMatchObject([
      { job: 'clean-up', tick, attempt: 1, outcome: 'done', result: { forgotten: 3 } },
    ]);
  });

  it.each(['close-sales-day', 'constructor'])('is passed over when it is not ours (%s)', async (job) => {
    expect(await run({ 'clean-up': async () => {} }, { job, tick })).toEqual({
      reports: [],
      thrown: undefined,
    });
  });

  it('that fails is reported, and its message comes again', async () => {
    const error = new Error('database away');
    const { reports, thrown } = await run({ 'clean-up': () => Promise.reject(error) });
    expect(thrown).toBe(error);
    expect(reports).toMatchObject([{ outcome: 'failed', error }]);
  });

  it('that is broken off by a stop has not failed', async () => {
    const stopping = AbortSignal.abort();
    const work = { 'clean-up': () => Promise.reject(new Error('aborted')) };
    const { reports, thrown } = await run(work, { job: 'clean-up', tick }, stopping);
    expect(reports).toEqual([]);
    expect(thrown).toBeInstanceOf(Error);
  });
});

describe('a report', () => {
  const lines: unknown[] = [];
  const logger = { warn: (line: unknown) => void lines.push(line) };
  const redactor = { text: (text: string) => text.replace('hunter2', '[Redacted]') };
  const platform = { service: 'orders', logger, redactor } as never;
  const report = { job: 'clean-up', tick, attempt: 2, outcome: 'failed' as const, tookMs: 7 };

  it('has the same id for the same end of the same attempt, and no secret', async () => {
    const sent: OutboxRow[] = [];
    const tell = jobReports(platform, { publish: async (rows) => void sent.push(...rows) });
    for (let i = 0; i < 2; i++) await tell({ ...report, error: new Error('login hunter2 refused') }, due);
    await tell({ ...report, outcome: 'done', result: { forgotten: 1 } }, due);
    expect(sent.map(({ event }) => event.id)).toEqual([
      `${due.id}/orders/2/failed`,
      `${due.id}/orders/2/failed`,
      `${due.id}/orders/2/done`,
    ]);
    const error = 'login [Redacted] refused';
    expect(sent[0]).toMatchObject({
      topic: 'job-reports',
      key: 'clean-up',
      event: { type: 'job.finished.v1', source: '/orders', data: { ...report, service: 'orders', error } },
    });
  });

  it('that cannot be sent is logged, and undoes nothing', async () => {
    const err = new Error('broker away');
    await jobReports(platform, { publish: () => Promise.reject(err) })(report, due);
    expect(lines).toEqual([{ event: 'job_not_reported', job: 'clean-up', tick, err }]);
  });
});
