import { describe, expect, it } from '@jest/globals';
import { dueJob } from '@cairn/boot';
import { parseEvent } from '@cairn/messaging';
import { readFileSync } from 'node:fs';
import { cancelledOrder, confirmedOrder } from './payments.consumer.ts';
import { refund, settle, type Payment } from './payment.ts';

const example = (type: string) =>
  parseEvent(readFileSync(new URL(`../../../contracts/events/${type}.v1.json`, import.meta.url)));

const { paymentId, orderId, amount, currency } = example('payment.succeeded').data as Record<string, never>;
const charging: Payment = {
  id: paymentId!,
  orderId: orderId!,
  amount: amount!,
  currency: currency!,
  customerId: 'alice',
  createdAt: new Date(),
  state: 'charging',
};
const succeeded = settle(charging, { charged: true, chargeId: 'ch_1' })!;
const failed = settle(charging, { charged: false, reason: 'insufficient_funds' })!;

describe('events of payments', () => {
  it.each([succeeded, failed, refund(succeeded.payment, 're_1')!].flatMap(({ announce }) => announce))(
    '$type is as its contract shows',
    ({ type, data }) => {
      expect(data).toEqual(example(type).data);
    },
  );

  it.each([
    ['order.confirmed', confirmedOrder],
    ['order.cancelled', cancelledOrder],
    ['job.due', dueJob],
  ])('%s can be read', (type, schema) => {
    expect(schema.safeParse(example(type).data)).toMatchObject({ success: true });
  });
});
