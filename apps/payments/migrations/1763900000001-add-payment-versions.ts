import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `version` is the number of the latest event about a payment. Payments that are there begin at 0: what was announced
 * before had no number, and the next event is the first one that readers count.
 */
export class AddPaymentVersions1763900000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE payment ADD version integer NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE payment DROP version');
  }
}
