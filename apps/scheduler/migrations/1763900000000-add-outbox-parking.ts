import { OUTBOX_PARKING } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the relay sets aside. */
export class AddOutboxParking1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(OUTBOX_PARKING);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE outbox DROP parked_at, DROP parked_reason');
  }
}
