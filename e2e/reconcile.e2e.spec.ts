import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { databaseUrl, runAdmin } from '@cairn/tools/local/apps.ts';
import { orderReaches, placeOrder, startSystem, type System } from './system.ts';

/** Reconciliation runs every second here. A refund that was refused waits a minute, as it does everywhere. */
let system: System;
let db: pg.Client;
beforeAll(async () => {
  system = await startSystem({ RECONCILE_PAYMENTS: '* * * * * *', RECONCILE_AFTER_S: '1' });
  db = new pg.Client({ connectionString: databaseUrl(process.env['POSTGRES_URL']!, 'payments') });
  await db.connect();
}, 90_000);
afterAll(async () => {
  await db?.end();
  await system?.stop();
});

/** As a process would charge that nobody hears of again. */
async function chargeAt(key: string, reference: string): Promise<void> {
  const response = await fetch(`${system.places.gateway}/v1/charges`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer gateway-development-key',
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify({ amount: 2100, currency: 'EUR', cardToken: 'tok_visa', reference }),
  });
  expect(response.status).toBe(201);
}

describe('reconciliation', () => {
  it('makes a refund that the gateway refused at first; until then the payment says so', async () => {
    const shop = await system.customer();
    const { id } = await placeOrder(shop);
    const { paymentId } = await orderReaches(shop, id, 'paid');
    await system.gateway.faults({ refuseRefundRate: 1 });
    await shop.cancel(id);
    const pending = await waitFor('the refund to be refused', async () => {
      const payment = (await shop.payment(paymentId!)) as { state: string; reason?: string };
      return payment.reason ? payment : undefined;
    });
    expect(pending).toMatchObject({ state: 'refunding', reason: 'refund_refused' });
    expect((await shop.order(id)).state).toBe('cancelled');
    await system.gateway.heal();
    const ask = async () => ((await shop.order(id)).state === 'refunded' ? true : undefined);
    await waitFor('the refund', ask, { timeoutMs: 100_000 });
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, refunds: 1, net: { EUR: 0 } });
    expect(await shop.payment(paymentId!)).toMatchObject({ state: 'refunded' });
  }, 150_000);

  it('gives back what was charged after its payment had been closed, in both books', async () => {
    const [id, orderId] = [randomUUID(), randomUUID()];
    await db.query(
      `INSERT INTO payment (id, order_id, customer_id, amount, currency, state, details, created_at, order_state, version)
       VALUES ($1, $2, 'ada', 2100, 'EUR', 'failed', '{"reason":"order_cancelled"}', now(), 'cancelled', 1)`,
      [id, orderId],
    );
    await chargeAt(id, orderId);
    await waitFor('the payment to be refunded', async () => {
      const { rows } = await db.query('SELECT 1 FROM payment WHERE id = $1 AND state = $2', [id, 'refunded']);
      return rows.length === 1 || undefined;
    });
    expect(await system.gateway.ledgerOf(orderId)).toMatchObject({ charges: 1, refunds: 1, net: { EUR: 0 } });
  }, 60_000);

  it('as a command prints what differs, and ends with 1 when it takes a person', async () => {
    await chargeAt(randomUUID(), randomUUID());
    await expect(runAdmin('payments', 'reconcile', system.launch)).rejects.toThrow(
      /exit code 1[^]*finding +repaired[^]*charge_unknown +0 +0 +1 +0/,
    );
  }, 60_000);
});
