import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import * as orders from './order.ts';

/** What orders emits is what `contracts/events` shows to its readers, field by field. */
const example = (type: string) => {
  const file = new URL(`../../../contracts/events/${type}.v1.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { data: Record<string, never> }).data;
};

const confirmed = example('order.confirmed') as unknown as {
  orderId: string;
  customerId: string;
  cardToken: string;
} & orders.Draft;
const paidAt = new Date(example('order.paid')['paidAt']!);
const { paymentId } = example('order.paid') as unknown as { paymentId: string };
const first = orders.confirm(
  { id: 'd1', email: confirmed.email, currency: confirmed.currency, lines: confirmed.lines },
  { id: confirmed.orderId, customerId: confirmed.customerId, cardToken: confirmed.cardToken, now: paidAt },
);
const paid = orders.pay(first.order, { paymentId }, paidAt)!;
const cancelled = orders.cancel(paid.order, 'customer', paidAt);
const failed = orders.failPayment(first.order, { paymentId, reason: 'insufficient_funds' })!;
const refunded = orders.refund(cancelled.order, { paymentId }, paidAt)!;

describe('events of orders', () => {
  it.each([first, paid, cancelled, failed, refunded].flatMap(({ announce }) => announce))(
    '$type is as its contract shows',
    ({ type, data }) => {
      expect(data).toEqual(example(type));
    },
  );
});
