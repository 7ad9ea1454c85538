import { describe, expect, it } from '@jest/globals';
import { createEvent, type Event } from '@cairn/messaging';
import type { Order } from '@cairn/orders/src/order.ts';
import type { Payment } from '@cairn/payments/src/payment.ts';
import { audit, type Books } from './audit.ts';
import type { Charge } from './gateway.memory.ts';

const time = new Date('2026-01-01T00:00:00Z');
const eventOf = (type: string, sequence: number, data = {}): Event =>
  createEvent({ type, source: '/orders', subject: 'o1', time, sequence, data });
const confirmed = eventOf('order.confirmed.v1', 1);
const paid = eventOf('order.paid.v1', 2);
const charge = { idempotencyKey: 'p1', status: 'succeeded', amount: 500, reference: 'o1', refundedAmount: 0 };
const promised = { customerId: 'ada', draftId: 'd1', total: 500, cancelled: false, surprises: [] };
const accepted = { key: 'k1', orderId: 'o1', body: '{"id":"o1"}' };
const order = { id: 'o1', customerId: 'ada', draftId: 'd1', total: 500, state: 'paid' };

/** One order that was paid, and nothing is wrong. */
const good = (): Books => ({
  promised: [{ ...promised, accepted: [accepted] }],
  orders: [order as Order],
  payments: [{ orderId: 'o1', state: 'succeeded' } as Payment],
  charges: [charge as Charge],
  published: [[confirmed, paid, confirmed]],
  history: [
    { type: 'event', event: confirmed },
    { type: 'event', event: paid },
    { type: 'handled', consumer: 'payments', eventId: confirmed.id },
    { type: 'applied', consumer: 'payments', source: '/orders', subject: 'o1', number: 1, after: 0 },
  ],
  unsettled: [],
});

const withHistory = (...facts: Books['history']): Partial<Books> => ({
  history: [...good().history, ...facts],
  published: [[confirmed, paid, ...facts.flatMap((fact) => (fact.type === 'event' ? [fact.event] : []))]],
});
const customer = (changed: Partial<Books['promised'][number]>): Partial<Books> => ({
  promised: [{ ...promised, accepted: [accepted], ...changed }],
});
const inState = (state: string, payment: string): Partial<Books> => ({
  orders: [{ ...order, state } as Order],
  payments: [{ orderId: 'o1', state: payment } as Payment],
});
const failed = createEvent({
  type: 'payment.failed.v1',
  source: '/payments',
  subject: 'o1',
  time,
  sequence: 1,
  data: { reason: 'no answer' },
});
const expired = eventOf('order.cancelled.v1', 3, { reason: 'expired' });

const WRONG: [string, Partial<Books>][] = [
  ['stuck: order o1 is pending', { unsettled: ['order o1 is pending'] }],
  ['money: order o1 was charged 2 times', { charges: [charge, charge] as Charge[] }],
  [
    'money: order o1 is paid, 400 is kept and 500 is due',
    { charges: [{ ...charge, refundedAmount: 100 } as Charge] },
  ],
  ['money: order o1 is cancelled and its payment succeeded', inState('cancelled', 'succeeded')],
  ['money: order o1 is paid and its payment failed', inState('paid', 'failed')],
  [
    'money: a charge for o2, which is no order',
    { charges: [charge, { ...charge, reference: 'o2' }] as Charge[] },
  ],
  [
    'money: the payment of o1 was called failed, and the gateway has charged it',
    withHistory({ type: 'event', event: failed }),
  ],
  ['lost: order o1 was accepted and is not there', { orders: [] }],
  ['customer: ada: cancel: no answer', customer({ surprises: ['cancel: no answer'] })],
  ['customer: ada has 2 orders of one draft', { orders: [order, { ...order, id: 'o2' }] as Order[] }],
  ['customer: ada ordered 400 and got 500', customer({ total: 400 })],
  ['customer: ada cancelled an order that is paid', customer({ cancelled: true })],
  ['customer: two replies to one key k1', customer({ accepted: [accepted, { ...accepted, body: '{}' }] })],
  [
    "customer: ada's draft was confirmed under 2 keys",
    customer({ accepted: [accepted, { ...accepted, key: 'k2' }] }),
  ],
  ['lost: order.paid.v1 of o1 was committed and never published', { published: [[confirmed]] }],
  [
    'order: 2 events are /orders o1 2',
    withHistory({ type: 'event', event: eventOf('order.cancelled.v1', 2) }),
  ],
  ['order: order.paid.v1 2 of o1 is published after 0', { published: [[paid, confirmed]] }],
  [
    'order: payments applied /orders o1 3 after 1',
    withHistory({
      type: 'applied',
      consumer: 'payments',
      source: '/orders',
      subject: 'o1',
      number: 3,
      after: 1,
    }),
  ],
  [
    `twice: payments handled event ${confirmed.id} again`,
    withHistory({ type: 'handled', consumer: 'payments', eventId: confirmed.id }),
  ],
  [
    'life: order.refunded.v1 of o1 after order.paid.v1',
    withHistory({ type: 'event', event: eventOf('order.refunded.v1', 3) }),
  ],
  ['life: o1 was paid and expired', withHistory({ type: 'event', event: expired })],
];

describe('the audit of a simulated run', () => {
  it('finds nothing in the books of an order that was paid, whatever was published twice', () => {
    expect(audit(good())).toEqual([]);
  });

  it.each(WRONG)('finds “%s”', (line, changed) => {
    expect(audit({ ...good(), ...changed })).toContain(line);
  });
});
