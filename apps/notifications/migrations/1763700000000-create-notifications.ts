import { INBOX_TABLE } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateNotifications1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE notification (
        id            uuid PRIMARY KEY,
        event_id      text NOT NULL UNIQUE,
        order_id      uuid NOT NULL,
        customer_id   text NOT NULL,
        template      text NOT NULL,
        recipient     text NOT NULL,
        subject       text NOT NULL,
        message_id    text NOT NULL,
        state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
        -- Until then the process that took it up is given the time to send it.
        sending_until timestamptz NOT NULL,
        reason        text,
        created_at    timestamptz NOT NULL,
        sent_at       timestamptz,
        CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
        CHECK ((state = 'failed') = (reason IS NOT NULL))
      );
      CREATE INDEX notification_of_order ON notification (customer_id, order_id, id);
      ${INBOX_TABLE}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inbox, notification');
  }
}
