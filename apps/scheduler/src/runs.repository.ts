import { newContext } from '@cairn/logging';
import { claimMessage, createEvent, outboxRow } from '@cairn/messaging';
import { traceparent } from '@cairn/telemetry';
import type { DataSource } from 'typeorm';
import type { Config } from './config.ts';
import type { Job } from './job.ts';
import type { FinishedJob, Run, RunName } from './run.ts';

export const JOBS_TOPIC = 'jobs';
export const REPORTS_TOPIC = 'job-reports';

/** The consumer name under which the scheduler remembers what it has handled. */
const CONSUMER = 'scheduler';

/** After this a look is no ground to announce anything: whoever was paused since has to look again. */
const LOOK_GOOD_FOR = '2 seconds';

/** What the database knew at one moment, by its own clock. */
export type Look = { now: Date; last: Map<string, Date> };
/** A run that not all reports came of in time. */
export type OverdueRun = RunName & { attempts: number };

export class RunsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly replica: string,
    private readonly settings: Pick<Config, 'RUN_TIMEOUT_S' | 'RUN_ATTEMPTS'>,
  ) {}

  /** The one clock that all replicas go by, and the last tick of each job, in one statement. */
  async look(jobs: string[]): Promise<Look> {
    const rows = await this.dataSource.query<{ now: Date; name: string; last: Date | null }[]>(
      `SELECT clock_timestamp() AS now, name,
              (SELECT tick FROM job_run WHERE job = name ORDER BY tick DESC LIMIT 1) AS last
       FROM unnest($1::text[]) AS job (name)`,
      [jobs],
    );
    const known = rows.flatMap(({ name, last }) => (last ? [[name, last] as const] : []));
    return { now: rows[0]!.now, last: new Map(known) };
  }

  /**
   * Claims a tick and announces it, in one statement: of any number of replicas one inserts the row, and the event
   * exists exactly when the row does. False when another replica has it, or has announced something else since the look
   * that this was decided on.
   */
  async claim(
    { name, doneBy }: Job,
    tick: Date,
    { now, last }: { now: Date; last?: Date | undefined },
  ): Promise<boolean> {
    const { topic, key, event } = announcement({ job: name, tick }, 1, now);
    const rows = await this.dataSource.query<unknown[]>(
      `WITH run AS (
         INSERT INTO job_run (job, tick, replica, state, done_by, due_by)
         SELECT $1::text, $2::timestamptz, $3::text, 'announced', $4::text[], clock_timestamp() + make_interval(secs => $5)
         WHERE $6::timestamptz > clock_timestamp() - interval '${LOOK_GOOD_FOR}'
           AND (SELECT max(tick) FROM job_run WHERE job = $1) IS NOT DISTINCT FROM $7::timestamptz
         ON CONFLICT DO NOTHING RETURNING job
       )
       INSERT INTO outbox (topic, key, event) SELECT $8, $9, $10::json FROM run RETURNING id`,
      [
        name,
        tick,
        this.replica,
        doneBy,
        this.settings.RUN_TIMEOUT_S,
        now,
        last ?? null,
        topic,
        key,
        JSON.stringify(event),
      ],
    );
    return rows.length === 1;
  }

  /** Runs whose time is over and of which reports are missing, the oldest first. */
  overdue(): Promise<OverdueRun[]> {
    return this.dataSource.query<OverdueRun[]>(
      `SELECT job, tick, attempts FROM job_run
       WHERE state = 'announced' AND due_by < clock_timestamp() ORDER BY due_by LIMIT 20`,
    );
  }

  /**
   * Announces a run once more, under the same id, or gives it up when that was done often enough. Undefined when another
   * replica was faster, or the last report came.
   */
  async again({ job, tick, attempts }: OverdueRun, now: Date): Promise<'announced' | 'failed' | undefined> {
    const next = attempts < this.settings.RUN_ATTEMPTS ? 'announced' : 'failed';
    const { topic, key, event } = announcement({ job, tick }, attempts + 1, now);
    const rows = await this.dataSource.query<unknown[]>(
      `WITH run AS (
         UPDATE job_run SET state = $4, attempts = attempts + ($4 = 'announced')::int,
                            due_by = clock_timestamp() + make_interval(secs => $5)
         WHERE job = $1 AND tick = $2 AND attempts = $3 AND state = 'announced' AND due_by < clock_timestamp()
         RETURNING job
       ), sent AS (
         INSERT INTO outbox (topic, key, event) SELECT $6, $7, $8::json FROM run WHERE $4 = 'announced'
       )
       SELECT job FROM run`,
      [job, tick, attempts, next, this.settings.RUN_TIMEOUT_S, topic, key, JSON.stringify(event)],
    );
    return rows.length === 1 ? next : undefined;
  }

  /**
   * Writes down what a service reports. True when that was the last report that the run waited for. A failure does not
   * undo a success; a success that comes late still counts.
   */
  report(
    messageId: string,
    { job, tick, service, outcome, attempt, tookMs, result, error }: FinishedJob,
  ): Promise<boolean> {
    return this.dataSource.transaction(async (tx) => {
      if (!(await claimMessage(tx, CONSUMER, messageId))) return false;
      const name = [job, tick];
      const runs = await tx.query<unknown[]>(
        'SELECT FROM job_run WHERE job = $1 AND tick = $2 FOR UPDATE',
        name,
      );
      if (runs.length === 0) return false; // forgotten by now
      await tx.query(
        `INSERT INTO job_report AS known (job, tick, service, outcome, attempt, took_ms, result, error)
         VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8)
         ON CONFLICT (job, tick, service) DO UPDATE SET outcome = excluded.outcome, attempt = excluded.attempt,
           took_ms = excluded.took_ms, result = excluded.result, error = excluded.error, received_at = now()
         WHERE known.outcome = 'failed'`,
        [
          ...name,
          service,
          outcome,
          attempt,
          tookMs,
          result === undefined ? null : JSON.stringify(result),
          error ?? null,
        ],
      );
      const finished = await tx.query<unknown[]>(
        `WITH run AS (
           UPDATE job_run SET state = 'finished' WHERE job = $1 AND tick = $2 AND state <> 'finished' AND done_by <@ ARRAY(
             SELECT service FROM job_report WHERE job = $1 AND tick = $2 AND outcome = 'done')
           RETURNING job
         )
         SELECT job FROM run`,
        name,
      );
      return finished.length === 1;
    });
  }

  /** The latest runs, newest first, each with its reports. */
  list({ job, limit }: { job?: string | undefined; limit: number }): Promise<Run[]> {
    return this.dataSource.query<Run[]>(
      `SELECT run.job, run.tick, run.state, run.attempts, run.replica, run.done_by AS "doneBy", (
         SELECT coalesce(json_agg(json_build_object('service', service, 'outcome', outcome, 'attempt', attempt,
           'tookMs', took_ms, 'result', result, 'error', error, 'receivedAt', received_at) ORDER BY service), '[]')
         FROM job_report report WHERE report.job = run.job AND report.tick = run.tick
       ) AS reports
       FROM job_run run WHERE $1::text IS NULL OR run.job = $1 ORDER BY run.tick DESC, run.job LIMIT $2`,
      [job ?? null, limit],
    );
  }

  /** Forgets runs past their time, but of each job the last one: from there missed ticks are counted. */
  async forget(keepDays: number): Promise<number> {
    const sql = `WITH gone AS (
                   DELETE FROM job_run old WHERE tick < now() - make_interval(days => $1)
                     AND tick < (SELECT max(tick) FROM job_run WHERE job = old.job) RETURNING 1)
                 SELECT count(*)::int AS count FROM gone`;
    return (await this.dataSource.query<{ count: number }[]>(sql, [keepDays]))[0]!.count;
  }
}

/** The id is the run's own name: announced again it is the same event, and whoever has an inbox takes it once. */
function announcement({ job, tick }: RunName, attempt: number, now: Date) {
  const data = { job, tick: tick.toISOString(), attempt };
  // What every service does about this tick is one trace, and has one correlation id.
  const context = { ...newContext(), traceparent: traceparent() };
  const id = `${job}@${data.tick}`;
  return outboxRow(
    JOBS_TOPIC,
    createEvent({ type: 'job.due.v1', source: '/scheduler', subject: job, data, time: now, id, context }),
  );
}
