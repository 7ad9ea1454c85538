import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mailsFor, orderReaches, placeOrder, startSystem, TOTAL, type System } from './system.ts';

/** One order, all the way: over HTTP, broker, bucket and mailbox. */
let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system?.stop());

describe('an order', () => {
  it('is paid, once, and its receipt is linked in one e-mail', async () => {
    const shop = await system.customer();
    const { id, state } = await placeOrder(shop);
    expect(state).toBe('pending');
    const { paymentId } = await orderReaches(shop, id, 'paid');
    expect(await shop.payment(paymentId!)).toMatchObject({
      state: 'succeeded',
      amount: TOTAL,
      currency: 'EUR',
    });
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, captured: { EUR: TOTAL } });

    const mails = await mailsFor(shop, id, 'receipt');
    expect(mails).toHaveLength(1);
    const link = /https?:\S+\.pdf\S*/.exec(mails[0]!.text)![0];
    const receipt = await fetch(link);
    expect(receipt.status).toBe(200);
    expect(
      Buffer.from(await receipt.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
  }, 30_000);

  it('fails when the card is declined, and the customer is told why', async () => {
    const shop = await system.customer();
    const { id } = await placeOrder(shop, 'tok_insufficientFunds');
    expect(await orderReaches(shop, id, 'payment_failed')).toMatchObject({ reason: 'insufficient_funds' });
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ captured: {} });
    expect(await mailsFor(shop, id, 'payment_failed')).toHaveLength(1);
  }, 30_000);

  it('is refunded when it is cancelled after it was paid', async () => {
    const shop = await system.customer();
    const { id } = await placeOrder(shop);
    await orderReaches(shop, id, 'paid');
    expect(await shop.cancel(id)).toMatchObject({ state: 'cancelled' });
    await orderReaches(shop, id, 'refunded');
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, net: { EUR: 0 } });
    expect(await mailsFor(shop, id, 'order_refunded')).toHaveLength(1);
    await expect(shop.cancel(id)).rejects.toMatchObject({
      status: 409,
      problem: { code: 'order_not_cancellable' },
    });
  }, 30_000);
});
