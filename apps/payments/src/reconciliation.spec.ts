import { describe, expect, it } from '@jest/globals';
import type { OrderState, Payment } from './payment.ts';
import {
  count,
  dueAt,
  findingOf,
  findingOfCharge,
  linesOf,
  totals,
  type Charge,
  type Round,
} from './reconciliation.ts';

const createdAt = new Date('2026-11-21T12:00:00Z');
const since = createdAt.toISOString();
const common = { id: 'p1', orderId: 'o1', customerId: 'alice', amount: 2100, currency: 'EUR', createdAt };
const STATES = {
  charging: { state: 'charging' },
  succeeded: { state: 'succeeded', chargeId: 'ch_1', since },
  failed: { state: 'failed', reason: 'expired_card', since },
  refunding: { state: 'refunding', chargeId: 'ch_1', since, attempts: 0 },
  refunded: { state: 'refunded', chargeId: 'ch_1', refundId: 're_1', since },
} as const;
type State = keyof typeof STATES;
const payment = (state: State, orderState?: OrderState): Payment => ({
  ...common,
  ...(orderState && { orderState }),
  ...STATES[state],
});
const charge: Charge = {
  ...{ id: 'ch_1', status: 'succeeded', amount: 2100, currency: 'EUR' },
  ...{ refundedAmount: 0, idempotencyKey: 'p1' },
};

describe('a payment and its order', () => {
  it.each<[State, OrderState, string | undefined]>([
    ['charging', 'pending', 'outcome_unknown'],
    ['charging', 'cancelled', 'outcome_unknown'],
    ['succeeded', 'pending', 'order_not_told'],
    ['succeeded', 'paid', undefined],
    ['succeeded', 'payment_failed', 'refund_missing'],
    ['succeeded', 'cancelled', 'refund_missing'],
    ['succeeded', 'refunded', 'order_differs'],
    ['failed', 'pending', 'order_not_told'],
    ['failed', 'paid', 'order_differs'],
    ['failed', 'payment_failed', undefined],
    ['failed', 'cancelled', undefined],
    ['failed', 'refunded', undefined],
    ['refunding', 'cancelled', 'refund_pending'],
    ['refunded', 'pending', 'order_not_told'],
    ['refunded', 'paid', 'order_differs'],
    ['refunded', 'payment_failed', undefined],
    ['refunded', 'cancelled', 'order_not_told'],
    ['refunded', 'refunded', undefined],
  ])('that are %s and %s: %s', (state, orderState, finding) => {
    expect(findingOf(payment(state, orderState))).toBe(finding);
  });

  it('from before payments listened to orders are compared by the payment alone', () => {
    expect((Object.keys(STATES) as State[]).map((state) => findingOf(payment(state)))).toEqual([
      'outcome_unknown',
      undefined,
      undefined,
      'refund_pending',
      undefined,
    ]);
  });
});

describe('a charge of the gateway and its payment', () => {
  it.each<[string, Partial<Charge>, State | undefined, string | undefined]>([
    ['as booked', {}, 'succeeded', undefined],
    ['given back, as booked', { refundedAmount: 2100 }, 'refunded', undefined],
    ['declined, as booked', { status: 'declined' }, 'failed', undefined],
    ['not settled yet', {}, 'charging', undefined],
    ['on its way back', { refundedAmount: 2100 }, 'refunding', undefined],
    ['closed and charged afterwards', {}, 'failed', 'charged_but_failed'],
    ['of another amount', { amount: 2101 }, 'succeeded', 'charge_differs'],
    ['of another currency', { currency: 'USD' }, 'charging', 'charge_differs'],
    ['of another id', { id: 'ch_2' }, 'succeeded', 'charge_differs'],
    ['declined and booked', { status: 'declined' }, 'succeeded', 'charge_differs'],
    ['given back by another hand', { refundedAmount: 1 }, 'succeeded', 'charge_differs'],
    ['given back in our books only', { refundedAmount: 2099 }, 'refunded', 'charge_differs'],
    ['of nobody', {}, undefined, 'charge_unknown'],
    ['of nobody, and declined', { status: 'declined' }, undefined, undefined],
  ])('%s', (_, change, state, finding) => {
    expect(findingOfCharge({ ...charge, ...change }, state && payment(state))).toBe(finding);
  });
});

describe('what is due', () => {
  const tellAgainMs = 900_000;
  const at = (p: Payment) => (dueAt(p, { tellAgainMs }).getTime() - createdAt.getTime()) / 1000;

  it('is an order that was told a while ago, and a refund by its own back-off', () => {
    expect(at(payment('succeeded', 'pending'))).toBe(900);
    expect(at({ ...payment('succeeded'), since: undefined } as unknown as Payment)).toBe(900);
    expect(at(payment('refunding'))).toBe(0);
    expect(at({ ...payment('refunding'), attempts: 1, triedAt: since } as Payment)).toBe(60);
  });
});

describe('a round', () => {
  it('is a table with every finding, and says when the gateway did not list all', () => {
    const round: Round = { payments: 3, charges: 7, found: {}, complete: false };
    count(round, 'outcome_unknown', 'repaired');
    count(round, 'outcome_unknown', 'repaired');
    count(round, 'charge_unknown', 'reported');
    const lines = linesOf(round);
    expect(lines[0]).toBe('compared 7 charges of the gateway, and 3 payments that were not finished');
    expect(lines).toContain('outcome_unknown              2         0         0         0');
    expect(lines).toContain('charge_unknown               0         0         1         0');
    expect(lines.at(-1)).toContain('run it again');
    expect(linesOf({ ...round, complete: true })).toHaveLength(10);
  });

  it('is a few sums for the report of its job', () => {
    const round: Round = { payments: 3, charges: 7, found: {}, complete: true };
    count(round, 'outcome_unknown', 'repaired');
    count(round, 'order_not_told', 'repaired');
    count(round, 'charge_unknown', 'reported');
    expect(totals(round)).toEqual({
      ...{ payments: 3, charges: 7, complete: true },
      ...{ repaired: 2, waiting: 0, reported: 1, failed: 0 },
    });
  });
});
