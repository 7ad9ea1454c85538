import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { aligned, finishedJob, runRows, runsQueryOf, type Run } from './run.ts';

const run: Run = {
  job: 'clean-up',
  tick: new Date('2026-11-21T12:00:00Z'),
  state: 'announced',
  attempts: 2,
  replica: 'node-1:7',
  doneBy: ['notifications', 'orders', 'payments'],
  reports: [
    {
      ...{ service: 'orders', outcome: 'done', attempt: 1, tookMs: 14, result: { replies: 2 }, error: null },
      receivedAt: '2026-11-21T12:00:01.5+00:00',
    },
    {
      ...{ service: 'payments', outcome: 'failed', attempt: 2, tookMs: 3, result: null, error: 'no disk' },
      receivedAt: '2026-11-21T12:00:02+00:00',
    },
  ],
};

describe('the list of runs', () => {
  it('says of each who has done it, who failed, and who is silent', () => {
    expect(aligned(runRows([run]))).toEqual([
      'tick                      job       state      attempts  announced by  reports',
      '2026-11-21T12:00:00.000Z  clean-up  announced  2         node-1:7      ' +
        'orders done {"replies":2} in 14 ms at 12:00:01.500; payments failed: no disk in 3 ms at 12:00:02.000; ' +
        'notifications has not reported',
    ]);
  });

  it('is of all jobs and of the last twenty runs, unless it is asked otherwise', () => {
    expect(runsQueryOf([])).toEqual({ job: undefined, limit: 20 });
    expect(runsQueryOf(['--job', 'clean-up', '--limit=3'])).toEqual({ job: 'clean-up', limit: 3 });
  });

  it.each([['--limit=0'], ['--limit=many'], ['--last'], ['clean-up']])('refuses %s', (argument) => {
    expect(() => runsQueryOf([argument])).toThrow();
  });
});

describe('a report', () => {
  it('can be read as the contract shows it', () => {
    const file = new URL('../../../contracts/events/job.finished.v1.json', import.meta.url);
    const { data } = JSON.parse(readFileSync(file, 'utf8')) as { data: unknown };
    expect(finishedJob.safeParse(data)).toMatchObject({ success: true });
  });
});
