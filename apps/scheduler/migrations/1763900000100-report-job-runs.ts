import { INBOX_TABLE } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReportJobRuns1763900000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- What was announced before, nobody reported on: it counts as finished. A replica of the version before goes on inserting
      -- runs while the new one is rolled out; they await no report and are never overdue.
      ALTER TABLE job_run
        ADD COLUMN state    text NOT NULL DEFAULT 'finished' CHECK (state IN ('announced', 'finished', 'failed')),
        ADD COLUMN attempts int NOT NULL DEFAULT 1,
        ADD COLUMN done_by  text[] NOT NULL DEFAULT '{}',
        ADD COLUMN due_by   timestamptz;
      CREATE INDEX job_run_open ON job_run (due_by) WHERE state = 'announced';
      CREATE TABLE job_report (
        job         text NOT NULL,
        tick        timestamptz NOT NULL,
        service     text NOT NULL,
        outcome     text NOT NULL CHECK (outcome IN ('done', 'failed')),
        attempt     int NOT NULL,
        took_ms     int NOT NULL,
        result      json,
        error       text,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (job, tick, service),
        FOREIGN KEY (job, tick) REFERENCES job_run ON DELETE CASCADE
      );
      ${INBOX_TABLE}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE inbox, job_report;
      DROP INDEX job_run_open;
      ALTER TABLE job_run DROP COLUMN state, DROP COLUMN attempts, DROP COLUMN done_by, DROP COLUMN due_by`);
  }
}
