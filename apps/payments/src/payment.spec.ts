import { describe, expect, it } from '@jest/globals';
import {
  beginRefund,
  cancel,
  concludeRefund,
  detailsOf,
  nextRefundAt,
  noteOrder,
  settle,
  tellAgain,
  type Payment,
  type Refunding,
} from './payment.ts';

const now = new Date('2026-11-21T12:00:00Z');
const since = now.toISOString();
const charging: Payment = {
  id: 'p1',
  orderId: 'o1',
  customerId: 'alice',
  amount: 2100,
  currency: 'EUR',
  createdAt: now,
  state: 'charging',
};
const succeeded = settle(charging, { charged: true, chargeId: 'ch_1' }, now)!;
const failed = settle(charging, { charged: false, reason: 'expired_card' }, now)!;
const refunding = cancel(succeeded.payment, now)!;
const refunded = concludeRefund(refunding.payment, { refunded: true, refundId: 're_1' }, now)!;
const all = [charging, succeeded.payment, failed.payment, refunding.payment, refunded.payment];
const but = (...some: Payment[]) => all.filter((payment) => !some.includes(payment));

describe('a payment', () => {
  it('succeeds with the charge that the gateway made', () => {
    expect(succeeded.payment).toMatchObject({ state: 'succeeded', chargeId: 'ch_1', since });
    expect(succeeded.announce).toMatchObject([
      { type: 'payment.succeeded', data: { paymentId: 'p1', amount: 2100 } },
    ]);
  });

  it('fails with the reason that the gateway gave', () => {
    expect(failed.announce).toMatchObject([{ type: 'payment.failed', data: { reason: 'expired_card' } }]);
  });

  it('is settled once, whatever arrives later', () => {
    for (const payment of but(charging))
      expect(settle(payment, { charged: true, chargeId: 'ch_2' }, now)).toBeUndefined();
  });

  it('keeps what belongs to its state apart', () => {
    expect(detailsOf(charging)).toEqual({});
    expect(detailsOf(noteOrder(succeeded.payment, 'paid')!.payment)).toEqual({ chargeId: 'ch_1', since });
    expect(detailsOf(refunding.payment)).toEqual({ chargeId: 'ch_1', since, attempts: 0 });
    expect(detailsOf(refunded.payment)).toEqual({ chargeId: 'ch_1', refundId: 're_1', since });
  });
});

describe('a payment whose order is cancelled', () => {
  it('is to be given back when it succeeded, and says so to nobody before it is', () => {
    expect(refunding).toMatchObject({
      payment: { state: 'refunding', chargeId: 'ch_1', attempts: 0, orderState: 'cancelled' },
      announce: [],
    });
  });

  it('is closed when nobody has charged it', () => {
    expect(cancel(charging, now)).toMatchObject({
      payment: { state: 'failed', reason: 'order_cancelled', orderState: 'cancelled' },
      announce: [{ type: 'payment.failed', data: { reason: 'order_cancelled' } }],
    });
  });

  it('stays as it is when it failed, is being given back or is given back', () => {
    for (const payment of [failed.payment, refunding.payment, refunded.payment]) {
      const decided = cancel(payment, now);
      expect(decided?.announce ?? []).toEqual([]);
      expect(decided?.payment.state ?? payment.state).toBe(payment.state);
    }
  });
});

describe('a refund', () => {
  it('begins when money was taken, also for a payment that was closed, and once', () => {
    expect(beginRefund(failed.payment, 'ch_9', now)?.payment).toMatchObject({
      state: 'refunding',
      chargeId: 'ch_9',
    });
    for (const payment of but(succeeded.payment, failed.payment))
      expect(beginRefund(payment, 'ch_9', now)).toBeUndefined();
  });

  it('is announced once it is made, and made once', () => {
    expect(refunded).toMatchObject({
      payment: { state: 'refunded', chargeId: 'ch_1', refundId: 're_1', orderState: 'cancelled' },
      announce: [{ type: 'payment.refunded' }],
    });
    for (const payment of but(refunding.payment))
      expect(concludeRefund(payment, { refunded: true, refundId: 're_2' }, now)).toBeUndefined();
  });

  it('that is refused stays pending, says why, and is tried again later and later', () => {
    let payment = refunding.payment;
    expect(nextRefundAt(payment as Refunding)).toEqual(now);
    const waits = Array.from({ length: 8 }, () => {
      const refused = concludeRefund(payment, { refunded: false, reason: 'refund_refused' }, now)!;
      expect(refused.announce).toEqual([]);
      payment = refused.payment;
      return (nextRefundAt(payment as Refunding).getTime() - now.getTime()) / 60_000;
    });
    expect(payment).toMatchObject({ state: 'refunding', attempts: 8, refusal: 'refund_refused', since });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(concludeRefund(payment, { refunded: true, refundId: 're_1' }, now)?.payment.state).toBe(
      'refunded',
    );
  });
});

describe('what orders tells of the order', () => {
  it('is noted when it is news, and only forward', () => {
    const paid = noteOrder(succeeded.payment, 'paid')!;
    expect(paid).toMatchObject({ payment: { state: 'succeeded', orderState: 'paid' }, announce: [] });
    expect(noteOrder(paid.payment, 'paid')).toBeUndefined();
    const over = noteOrder(refunded.payment, 'refunded')!.payment;
    for (const state of ['pending', 'paid', 'cancelled'] as const)
      expect(noteOrder(over, state)).toBeUndefined();
  });

  it('can be asked for by announcing again what the payment came to', () => {
    const later = new Date('2026-11-21T13:00:00Z');
    for (const { payment, announce } of [succeeded, failed, refunded]) {
      expect(tellAgain(payment, later)).toEqual({
        payment: { ...payment, since: later.toISOString() },
        announce,
      });
    }
    for (const payment of [charging, refunding.payment]) expect(tellAgain(payment, later)).toBeUndefined();
  });
});
