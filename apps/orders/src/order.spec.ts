import { describe, expect, it } from '@jest/globals';
import * as orders from './order.ts';
import type { Decision, Order } from './order.ts';

const now = new Date('2026-11-21T12:00:00Z');
const draft = {
  id: 'd1',
  email: 'alice@example.com',
  currency: 'EUR',
  lines: [
    { sku: 'TEA', name: 'Tea', quantity: 2, unitPrice: 450 },
    { sku: 'MUG', name: 'Mug', quantity: 1, unitPrice: 1200 },
  ],
};
const by = { id: 'o1', customerId: 'alice', cardToken: 'tok_visa', now };
const order = (decision: Decision | undefined) => decision!.order;
const pending = orders.confirm(draft, by).order;
const paid = order(orders.pay(pending, { paymentId: 'p1' }, now));
const failed = order(orders.failPayment(pending, { paymentId: 'p1', reason: 'expired_card' }));
const cancelled = orders.cancel(pending, 'customer', now).order;
const refunded = order(orders.refund(orders.cancel(paid, 'customer', now).order, { paymentId: 'p1' }, now));
const typesOf = (decision: Decision | undefined) => decision?.announce.map(({ type }) => type);

describe('an order', () => {
  it('begins pending, with the sum of its lines in minor units', () => {
    expect(pending).toMatchObject({ state: 'pending', total: 2100, currency: 'EUR', customerId: 'alice' });
  });

  it('announces the card token once and does not keep it', () => {
    const { order: confirmed, announce } = orders.confirm(draft, by);
    expect(announce).toMatchObject([
      { type: 'order.confirmed', data: { orderId: 'o1', cardToken: 'tok_visa' } },
    ]);
    expect(JSON.stringify(confirmed)).not.toContain('tok_visa');
  });

  it('refuses a sum that a number cannot hold exactly', () => {
    const lines = [{ sku: 'X', name: 'X', quantity: 2, unitPrice: Number.MAX_SAFE_INTEGER }];
    expect(() => orders.confirm({ ...draft, lines }, by)).toThrow('add up to more than 9007199254740991');
  });

  it('is paid, once', () => {
    expect(paid).toMatchObject({ state: 'paid', paymentId: 'p1' });
    expect(orders.pay(paid, { paymentId: 'p1' }, now)).toBeUndefined();
  });

  it('stays cancelled when the payment lands late, and is refunded afterwards', () => {
    expect(orders.pay(cancelled, { paymentId: 'p1' }, now)).toBeUndefined();
    expect(orders.failPayment(cancelled, { paymentId: 'p1', reason: 'x' })).toBeUndefined();
    expect(typesOf(orders.refund(cancelled, { paymentId: 'p1' }, now))).toEqual(['order.refunded']);
  });

  it('keeps the payment id when it is cancelled after it was paid', () => {
    expect(orders.cancel(paid, 'customer', now).order).toMatchObject({ state: 'cancelled', paymentId: 'p1' });
  });

  it.each<[string, Order]>([
    ['payment_failed', failed],
    ['cancelled', cancelled],
    ['refunded', refunded],
  ])('cannot be cancelled when it is %s', (_, settled) => {
    expect(() => orders.cancel(settled, 'customer', now)).toThrow(orders.OrderError);
  });

  it('expires only while it is pending', () => {
    expect(order(orders.expire(pending, now))).toMatchObject({ state: 'cancelled', reason: 'expired' });
    for (const other of [paid, failed, cancelled, refunded])
      expect(orders.expire(other, now)).toBeUndefined();
  });

  it('is refunded once, and only after it was cancelled', () => {
    for (const other of [pending, paid, failed, refunded]) {
      expect(orders.refund(other, { paymentId: 'p1' }, now)).toBeUndefined();
    }
  });

  it('drops the details of the state that it leaves', () => {
    expect(orders.detailsOf(pending)).toEqual({});
    expect(orders.detailsOf(orders.cancel(paid, 'customer', now).order)).toEqual({
      reason: 'customer',
      cancelledAt: now.toISOString(),
      paymentId: 'p1',
    });
  });
});
