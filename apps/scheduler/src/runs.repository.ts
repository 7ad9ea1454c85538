import { newContext } from '@cairn/logging';
import { createEvent, outboxRow } from '@cairn/messaging';
import { traceparent } from '@cairn/telemetry';
import type { DataSource } from 'typeorm';

export const JOBS_TOPIC = 'jobs';

export class RunsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly replica: string,
  ) {}

  /**
   * Claims a tick and announces it, in one statement: of any number of replicas one inserts the row, and the event
   * exists exactly when the row does. False when another replica has it.
   */
  async claim(job: string, tick: Date, now: Date): Promise<boolean> {
    const data = { job, tick: tick.toISOString() };
    // What every service does about this tick is one trace, and has one correlation id.
    const context = { ...newContext(), traceparent: traceparent() };
    const event = createEvent({
      type: 'job.due.v1',
      source: '/scheduler',
      subject: job,
      data,
      time: now,
      context,
    });
    const row = outboxRow(JOBS_TOPIC, event);
    const rows = await this.dataSource.query<unknown[]>(
      `WITH run AS (
         INSERT INTO job_run (job, tick, replica) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING job
       )
       INSERT INTO outbox (topic, key, event) SELECT $4, $5, $6::json FROM run RETURNING id`,
      [job, tick, this.replica, row.topic, row.key, JSON.stringify(row.event)],
    );
    return rows.length === 1;
  }

  async forget(keepDays: number): Promise<number> {
    const sql = `WITH gone AS (DELETE FROM job_run WHERE tick < now() - make_interval(days => $1) RETURNING 1)
                 SELECT count(*)::int AS count FROM gone`;
    return (await this.dataSource.query<{ count: number }[]>(sql, [keepDays]))[0]!.count;
  }
}
