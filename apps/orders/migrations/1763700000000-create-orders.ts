import { INBOX_TABLE, OUTBOX_TABLE } from '@cairn/messaging';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOrders1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE orders (
        id          uuid PRIMARY KEY,
        customer_id text NOT NULL,
        draft_id    uuid NOT NULL,
        email       text NOT NULL,
        currency    char(3) NOT NULL,
        total       bigint NOT NULL CHECK (total > 0),
        state       text NOT NULL CHECK (state IN ('pending', 'paid', 'payment_failed', 'cancelled', 'refunded')),
        details     jsonb NOT NULL DEFAULT '{}',
        created_at  timestamptz NOT NULL,
        UNIQUE (customer_id, draft_id)
      );
      -- Ids are UUIDv7, so they page by time.
      CREATE INDEX orders_of_customer ON orders (customer_id, id DESC);
      CREATE INDEX orders_pending ON orders (created_at) WHERE state = 'pending';
      CREATE INDEX orders_paid_at ON orders ((details ->> 'paidAt')) WHERE state = 'paid';

      CREATE TABLE order_line (
        order_id   uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
        position   integer NOT NULL,
        sku        text NOT NULL,
        name       text NOT NULL,
        quantity   integer NOT NULL CHECK (quantity > 0),
        unit_price bigint NOT NULL CHECK (unit_price > 0),
        PRIMARY KEY (order_id, position)
      );

      CREATE TABLE idempotency_key (
        customer_id text NOT NULL,
        key         text NOT NULL,
        fingerprint text NOT NULL,
        response    text NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (customer_id, key)
      );
      CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);
      ${OUTBOX_TABLE}
      ${INBOX_TABLE}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inbox, outbox_lease, outbox, idempotency_key, order_line, orders');
  }
}
