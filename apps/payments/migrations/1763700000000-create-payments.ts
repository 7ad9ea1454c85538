import { INBOX_TABLE, OUTBOX_TABLE } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePayments1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE payment (
        id          uuid PRIMARY KEY,
        order_id    uuid NOT NULL UNIQUE,
        customer_id text NOT NULL,
        amount      bigint NOT NULL CHECK (amount > 0),
        currency    char(3) NOT NULL,
        state       text NOT NULL CHECK (state IN ('charging', 'succeeded', 'failed', 'refunded')),
        details     jsonb NOT NULL DEFAULT '{}',
        created_at  timestamptz NOT NULL
      );
      CREATE INDEX payment_charging ON payment (created_at) WHERE state = 'charging';
      ${OUTBOX_TABLE}
      ${INBOX_TABLE}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inbox, outbox_lease, outbox, payment');
  }
}
