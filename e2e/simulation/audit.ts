import { sequenceOf, type Event } from '@cairn/messaging';
import type { Order } from '@cairn/orders/src/order.ts';
import { ORDER_CANCELLED, type Payment } from '@cairn/payments/src/payment.ts';
import type { Promised } from './customer.ts';
import type { Fact } from './database.ts';
import type { Charge } from './gateway.memory.ts';

/** Everybody's books when all is over. */
export type Books = {
  promised: Promised[];
  orders: Order[];
  payments: Payment[];
  charges: Charge[];
  /** By partition, in the order of the log. */
  published: Event[][];
  /** What the transactions of both databases left, in the order of their commits. */
  history: Fact[];
  /** What is still under way, in words. */
  unsettled: string[];
};

/** What the system has promised and not kept, one line each; none is the only good answer. */
export function audit(books: Books): string[] {
  return [
    ...books.unsettled.map((what) => `stuck: ${what}`),
    ...money(books),
    ...guessed(books),
    ...kept(books),
    ...announced(books),
    ...inOrder(books),
    ...applied(books),
    ...lifeOfOrders(books),
  ];
}

/** Captures less refunds are what is paid for, order by order; nobody is charged twice. */
function money({ orders, payments, charges }: Books): string[] {
  const found: string[] = [];
  for (const order of orders) {
    const captured = charges.filter(
      ({ reference, status }) => reference === order.id && status === 'succeeded',
    );
    const kept = captured.reduce((sum, charge) => sum + charge.amount - charge.refundedAmount, 0);
    const due = order.state === 'paid' ? order.total : 0;
    if (captured.length > 1) found.push(`money: order ${order.id} was charged ${captured.length} times`);
    if (kept !== due)
      found.push(`money: order ${order.id} is ${order.state}, ${kept} is kept and ${due} is due`);
    const payment = payments.find(({ orderId }) => orderId === order.id);
    if (order.state === 'paid' && payment?.state !== 'succeeded')
      found.push(`money: order ${order.id} is paid and its payment ${payment?.state ?? 'missing'}`);
    if (payment?.state === 'succeeded' && order.state !== 'paid')
      found.push(`money: order ${order.id} is ${order.state} and its payment succeeded`);
  }
  const known = new Set(orders.map(({ id }) => id));
  const strays = charges.filter(({ reference }) => !known.has(reference));
  return [...found, ...strays.map(({ reference }) => `money: a charge for ${reference}, which is no order`)];
}

/** A payment is refused when the gateway has refused it, and not for want of an answer. */
function guessed({ history, charges }: Books): string[] {
  const charged = new Set(
    charges.filter(({ status }) => status === 'succeeded').map(({ reference }) => reference),
  );
  return history
    .flatMap((fact) => (fact.type === 'event' && fact.event.type === 'payment.failed.v1' ? [fact.event] : []))
    .filter(
      ({ subject, data }) => charged.has(subject) && (data as { reason: string }).reason !== ORDER_CANCELLED,
    )
    .map(
      ({ subject }) => `money: the payment of ${subject} was called failed, and the gateway has charged it`,
    );
}

/** What a customer was told is true: each accepted order is there, once per draft, and says the same to the same key. */
function kept({ promised, orders }: Books): string[] {
  const found: string[] = [];
  for (const { customerId, draftId, accepted, cancelled, surprises, total } of promised) {
    found.push(...surprises.map((what) => `customer: ${customerId}: ${what}`));
    const own = orders.filter((order) => order.customerId === customerId && order.draftId === draftId);
    if (own.length > 1) found.push(`customer: ${customerId} has ${own.length} orders of one draft`);
    for (const { orderId } of accepted) {
      const order = own.find(({ id }) => id === orderId);
      if (!order) found.push(`lost: order ${orderId} was accepted and is not there`);
      else if (order.total !== total)
        found.push(`customer: ${customerId} ordered ${total} and got ${order.total}`);
      else if (cancelled && !['cancelled', 'refunded'].includes(order.state))
        found.push(`customer: ${customerId} cancelled an order that is ${order.state}`);
    }
    const replies = Map.groupBy(accepted, ({ key }) => key);
    for (const [key, same] of replies)
      if (new Set(same.map(({ body }) => body)).size > 1)
        found.push(`customer: two replies to one key ${key}`);
    if (replies.size > 1)
      found.push(`customer: ${customerId}'s draft was confirmed under ${replies.size} keys`);
  }
  return found;
}

/** Each committed event is published, with a number of its own. */
function announced({ history, published }: Books): string[] {
  const sent = new Set(published.flat().map(({ id }) => id));
  const committed = history.filter((fact) => fact.type === 'event').map(({ event }) => event);
  const lost = committed.filter(({ id }) => !sent.has(id));
  const numbers = Map.groupBy(
    committed,
    ({ source, subject, sequence }) => `${source} ${subject} ${sequence}`,
  );
  const twice = [...numbers].filter(([, events]) => events.length > 1);
  return [
    ...lost.map(({ type, subject }) => `lost: ${type} of ${subject} was committed and never published`),
    ...twice.map(([number, { length }]) => `order: ${length} events are ${number}`),
  ];
}

/** In each partition the events of a subject come up in the order of their numbers; repeats do not count. */
function inOrder({ published }: Books): string[] {
  const found: string[] = [];
  for (const log of published) {
    const last = new Map<string, number>();
    for (const { source, subject, sequence, type } of log) {
      const number = sequenceOf({ ...(sequence !== undefined && { sequence }) });
      if (number === undefined) continue;
      const key = `${source} ${subject}`;
      const before = last.get(key) ?? 0;
      if (number > before + 1)
        found.push(`order: ${type} ${number} of ${subject} is published after ${before}`);
      last.set(key, Math.max(before, number));
    }
  }
  return found;
}

/** A consumer applies the events of a subject in the order of their numbers, without a gap, and handles each once. */
function applied({ history }: Books): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const fact of history) {
    if (fact.type === 'applied' && fact.number !== fact.after + 1)
      found.push(
        `order: ${fact.consumer} applied ${fact.source} ${fact.subject} ${fact.number} after ${fact.after}`,
      );
    if (fact.type !== 'handled') continue;
    const key = `${fact.consumer} ${fact.eventId}`;
    if (seen.has(key)) found.push(`twice: ${fact.consumer} handled event ${fact.eventId} again`);
    seen.add(key);
  }
  return found;
}

/** What may follow what, as order.ts draws it. */
const NEXT: Record<string, string[]> = {
  '': ['order.confirmed.v1'],
  'order.confirmed.v1': ['order.paid.v1', 'order.payment_failed.v1', 'order.cancelled.v1'],
  'order.paid.v1': ['order.cancelled.v1'],
  'order.cancelled.v1': ['order.refunded.v1'],
};

function lifeOfOrders({ history }: Books): string[] {
  const found: string[] = [];
  const last = new Map<string, string>();
  for (const fact of history) {
    if (fact.type !== 'event' || fact.event.source !== '/orders') continue;
    const { subject, type, data } = fact.event;
    const before = last.get(subject) ?? '';
    if (!NEXT[before]?.includes(type)) found.push(`life: ${type} of ${subject} after ${before}`);
    if (before === 'order.paid.v1' && (data as { reason?: string }).reason === 'expired')
      found.push(`life: ${subject} was paid and expired`);
    last.set(subject, type);
  }
  return found;
}
