import { describe, expect, it } from '@jest/globals';
import { dueJob } from '@cairn/boot';
import { parseEvent } from '@cairn/messaging';
import { readFileSync } from 'node:fs';
import { cancelledOrder, confirmedOrder, toldOrder } from './payments.consumer.ts';
import { cancel, concludeRefund, settle, type Payment } from './payment.ts';

const example = (type: string) =>
  parseEvent(readFileSync(new URL(`../../../contracts/events/${type}.v1.json`, import.meta.url)));

const { paymentId, orderId, amount, currency } = example('payment.succeeded').data as Record<string, never>;
const now = new Date();
const charging: Payment = {
  id: paymentId!,
  orderId: orderId!,
  amount: amount!,
  currency: currency!,
  customerId: 'alice',
  createdAt: now,
  state: 'charging',
};
const succeeded = settle(charging, { charged: true, chargeId: 'ch_1' }, now)!;
const failed = settle(charging, { charged: false, reason: 'insufficient_funds' }, now)!;
const refunding = cancel(succeeded.payment, now)!;
const refunded = concludeRefund(refunding.payment, { refunded: true, refundId: 're_1' }, now)!;

describe('events of payments', () => {
  it.each([succeeded, failed, refunded].flatMap(({ announce }) => announce))(
    '$type is as its contract shows',
    ({ type, data }) => {
      expect(data).toEqual(example(type).data);
    },
  );

  it.each([
    ['order.confirmed', confirmedOrder],
    ['order.cancelled', cancelledOrder],
    ['order.paid', toldOrder],
    ['order.payment_failed', toldOrder],
    ['order.refunded', toldOrder],
    ['job.due', dueJob],
  ])('%s can be read', (type, schema) => {
    expect(schema.safeParse(example(type).data)).toMatchObject({ success: true });
  });
});
