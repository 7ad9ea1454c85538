import { describe, expect, it } from '@jest/globals';
import { detailsOf, refund, settle, type Payment } from './payment.ts';

const charging: Payment = {
  id: 'p1',
  orderId: 'o1',
  customerId: 'alice',
  amount: 2100,
  currency: 'EUR',
  createdAt: new Date('2026-11-21T12:00:00Z'),
  state: 'charging',
};
const succeeded = settle(charging, { charged: true, chargeId: 'ch_1' })!;
const failed = settle(charging, { charged: false, reason: 'expired_card' })!;
const refunded = refund(succeeded.payment, 're_1')!;

describe('a payment', () => {
  it('succeeds with the charge that the gateway made', () => {
    expect(succeeded.payment).toMatchObject({ state: 'succeeded', chargeId: 'ch_1' });
    expect(succeeded.announce).toMatchObject([
      { type: 'payment.succeeded', data: { paymentId: 'p1', amount: 2100 } },
    ]);
  });

  it('fails with the reason that the gateway gave', () => {
    expect(failed.announce).toMatchObject([{ type: 'payment.failed', data: { reason: 'expired_card' } }]);
  });

  it('is settled once, whatever arrives later', () => {
    for (const { payment } of [succeeded, failed, refunded]) {
      expect(settle(payment, { charged: true, chargeId: 'ch_2' })).toBeUndefined();
    }
  });

  it('is refunded once, and only when money was taken', () => {
    expect(refunded.payment).toMatchObject({ state: 'refunded', chargeId: 'ch_1', refundId: 're_1' });
    for (const payment of [charging, failed.payment, refunded.payment])
      expect(refund(payment, 're_2')).toBeUndefined();
  });

  it('keeps what belongs to its state apart', () => {
    expect(detailsOf(charging)).toEqual({});
    expect(detailsOf(refunded.payment)).toEqual({ chargeId: 'ch_1', refundId: 're_1' });
  });
});
