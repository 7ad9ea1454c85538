import { OUTBOX_TABLE } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateJobRuns1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The primary key is the whole election: of all replicas that see a tick, one can insert it.
      CREATE TABLE job_run (
        job        text NOT NULL,
        tick       timestamptz NOT NULL,
        replica    text NOT NULL,
        claimed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (job, tick)
      );
      ${OUTBOX_TABLE}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox_lease, outbox, job_run');
  }
}
