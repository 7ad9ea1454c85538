import { OUTBOX_PARKING, SEQUENCE_TABLES } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the relay sets aside, and what the consumer knows of the order of events. */
export class AddMessageOrder1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(OUTBOX_PARKING + SEQUENCE_TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE inbox_held, inbox_sequence;
      ALTER TABLE outbox DROP parked_at, DROP parked_reason`);
  }
}
