import { currentContext } from '@cairn/logging';
import { createEvent, outboxRow, type Event, type OutboxRow } from '@cairn/messaging';
import { traceparent } from '@cairn/telemetry';
import { z } from 'zod';
import type { Platform } from './platform.ts';

/** Where services say that a job is done; the scheduler reads it, and its `migrate` makes it. */
const REPORTS_TOPIC = 'job-reports';

/** What a service reads of `job.due.v1`. `attempt` is 1 unless the scheduler had to announce the run again. */
export const dueJob = z.object({
  job: z.string(),
  tick: z.iso.datetime(),
  attempt: z.number().int().optional(),
});

/** What a service sends as `job.finished.v1`. */
export const finishedJob = z.object({
  job: z.string(),
  tick: z.iso.datetime(),
  attempt: z.number().int(),
  service: z.string(),
  outcome: z.enum(['done', 'failed']),
  tookMs: z.number().int(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.string().optional(),
});

export type JobRun = {
  /** The instant that names the run. Time that decides anything is counted from here: replicas' own clocks differ. */
  tick: Date;
  /** The same however often the run is announced: for the inbox. */
  messageId: string;
  signal: AbortSignal;
};

/** Resolves with what there is to tell of the run, such as `{ expired: 3 }`. Has to be safe to repeat. */
export type JobWork = (run: JobRun) => Promise<Record<string, unknown> | void>;

export type JobReport = Omit<z.infer<typeof finishedJob>, 'service' | 'error'> & { error?: unknown };

/** Must not reject: a job that is done is not done again because nobody could be told. */
export type ReportJob = (report: JobReport, due: Event) => Promise<void>;

/**
 * Handles `job.due.v1`: does the job if it is one of `work`, and reports how it ended; jobs of other services come along on
 * the same topic and are passed over. A failure is reported and thrown on: the message is tried again as any other.
 */
export function doesJobs(report: ReportJob, work: Record<string, JobWork>) {
  return async (
    { job, tick, attempt = 1 }: z.infer<typeof dueJob>,
    event: Event,
    { signal }: { signal: AbortSignal },
  ): Promise<void> => {
    const run = Object.hasOwn(work, job) ? work[job] : undefined;
    if (!run) return;
    const began = performance.now();
    const told = (how: Pick<JobReport, 'outcome' | 'result' | 'error'>) =>
      report({ job, tick, attempt, tookMs: Math.round(performance.now() - began), ...how }, event);
    try {
      const result = await run({ tick: new Date(tick), messageId: event.id, signal });
      await told({ outcome: 'done', ...(result && { result }) });
    } catch (error) {
      // Whoever stops breaks its work off: it comes again, and nothing failed.
      if (!signal.aborted) await told({ outcome: 'failed', error });
      throw error;
    }
  };
}

/**
 * Reports by `job.finished.v1`, straight to the broker. The id is the same for the same end of the same attempt, so that a message
 * that comes twice is one report. A report that gets lost is made good by the scheduler: it announces the run again.
 */
export function jobReports(
  { service, logger, redactor }: Pick<Platform, 'service' | 'logger' | 'redactor'>,
  broker: { publish(rows: OutboxRow[]): Promise<void> },
): ReportJob {
  return async ({ error, ...report }, due) => {
    const { job, attempt, outcome } = report;
    const told =
      error === undefined
        ? {}
        : { error: redactor.text(error instanceof Error ? error.message : String(error)) };
    const event = createEvent({
      type: 'job.finished.v1',
      source: `/${service}`,
      subject: job,
      id: `${due.id}/${service}/${attempt}/${outcome}`,
      data: { ...report, service, ...told },
      time: new Date(),
      context: { ...currentContext(), traceparent: traceparent() },
    });
    await broker.publish([outboxRow(REPORTS_TOPIC, event)]).catch((err: unknown) => {
      logger.warn({ event: 'job_not_reported', job, tick: report.tick, err });
    });
  };
}
