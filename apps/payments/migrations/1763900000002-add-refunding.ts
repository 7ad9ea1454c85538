import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A refund is a state of its own while it is pending, and a payment knows what became of its order. `order_state` is null
 * for payments that are there: what orders told of them before, nobody noted.
 */
export class AddRefunding1763900000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE payment
        DROP CONSTRAINT payment_state_check,
        -- It allows more than the one before, so no row has to be looked at.
        ADD CONSTRAINT payment_state_check
          CHECK (state IN ('charging', 'succeeded', 'failed', 'refunding', 'refunded')) NOT VALID,
        ADD order_state text
          CHECK (order_state IN ('pending', 'paid', 'payment_failed', 'cancelled', 'refunded'));
      -- What reconciliation looks at: few rows of many. Its query has this very condition.
      CREATE INDEX payment_open ON payment (id) WHERE
        state IN ('charging', 'refunding')
        OR (state = 'succeeded' AND order_state <> 'paid')
        OR (state = 'failed' AND order_state IN ('pending', 'paid'))
        OR (state = 'refunded' AND order_state NOT IN ('payment_failed', 'refunded'));`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX payment_open;
      ALTER TABLE payment DROP order_state`);
  }
}
