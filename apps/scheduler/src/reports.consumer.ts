import { reads, type Handlers } from '@cairn/messaging';
import { finishedJob } from './run.ts';
import type { RunsRepository } from './runs.repository.ts';

/** Events in. */
export class ReportsConsumer {
  constructor(
    private readonly runs: Pick<RunsRepository, 'report'>,
    private readonly onFinished: (job: string, tick: string) => void,
  ) {}

  readonly handlers: Handlers = {
    'job-reports': {
      'job.finished.v1': reads(finishedJob, async (report, { id }) => {
        if (await this.runs.report(id, report)) this.onFinished(report.job, report.tick);
      }),
    },
  };
}
