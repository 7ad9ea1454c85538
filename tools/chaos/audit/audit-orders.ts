import { by, type Books, type Intent, type OrderRow, type Violation } from './audit-books.ts';

/** States of orders and payments from which something still has to happen. */
const WAITING = new Set(['pending']);
const UNSETTLED = new Set(['charging', 'refunding']);

/** What a payment may be while its order is settled thus. */
const FITTING: Record<string, string[]> = {
  paid: ['succeeded'],
  payment_failed: ['failed'],
  cancelled: ['failed'],
  refunded: ['refunded'],
};

/** Orders against what customers were told, and against their payments. */
export function orderViolations(books: Books): Violation[] {
  return [...lost(books), ...doubled(books), ...stuck(books)];
}

function lost({ intents, orders, charges }: Books): Violation[] {
  const found: Violation[] = [];
  const wrong = (text: string) => void found.push({ kind: 'lost', text });
  const charged = new Set(charges.map(({ reference }) => reference));
  // A message that was skipped hides behind a later one: the order would expire, and its payment be closed unasked.
  for (const { id, state } of orders)
    if (state !== 'pending' && !charged.has(id)) wrong(`order ${id} is ${state}, and nobody ever charged it`);
  const stored = new Map(orders.map((order) => [order.id, order]));
  for (const intent of intents) {
    for (const id of intent.accepted) {
      const order = stored.get(id);
      if (!order) wrong(`order ${id} was answered with 201 and is not there (${intent.id})`);
      else for (const text of unlike(intent, order)) wrong(`order ${id}: ${text} (${intent.id})`);
    }
  }
  return found;
}

function unlike(intent: Intent, order: OrderRow): string[] {
  const { currency, total, customer, cancelled, cardIsGood } = intent;
  const found: string[] = [];
  if (order.total !== total || order.currency !== currency)
    found.push(`it is over ${order.total} ${order.currency}, asked for was ${total} ${currency}`);
  if (order.customer !== customer) found.push(`it is ${order.customer}'s, asked for by ${customer}`);
  if (cancelled && !['cancelled', 'refunded'].includes(order.state))
    found.push(`the customer was told that it is cancelled, and it is ${order.state}`);
  if (!cardIsGood && ['paid', 'refunded'].includes(order.state))
    found.push(`its card is declined, and it is ${order.state}`);
  if (cardIsGood && order.state === 'payment_failed')
    found.push('its card is good, and its payment has failed');
  return found;
}

function doubled({ intents, orders, charges, payments }: Books): Violation[] {
  const found: Violation[] = [];
  const wrong = (text: string) => void found.push({ kind: 'doubled', text });
  const byDraft = by(orders, ({ customer, draftId }) => `${customer} ${draftId}`);
  for (const { id, customer, drafts, accepted, otherReplies } of intents) {
    const made = drafts.flatMap((draft) => byDraft.get(`${customer} ${draft}`) ?? []);
    if (made.length > 1) wrong(`${made.length} orders of one intent (${id})`);
    if (accepted.length > 1) wrong(`one intent was told of ${accepted.length} orders (${id})`);
    if (otherReplies > 0)
      wrong(`${otherReplies} replies to one key were not byte for byte the first (${id})`);
  }
  for (const [reference, ofOne] of by(charges, (charge) => charge.reference))
    if (ofOne.length > 1) wrong(`order ${reference} was charged ${ofOne.length} times`);
  for (const [orderId, ofOne] of by(payments, (payment) => payment.orderId))
    if (ofOne.length > 1) wrong(`order ${orderId} has ${ofOne.length} payments`);
  return found;
}

function stuck({ intents, orders, payments, leftovers }: Books): Violation[] {
  const found: Violation[] = [];
  const wrong = (text: string) => void found.push({ kind: 'stuck', text });
  for (const { id, accepted, refusal } of intents)
    if (accepted.length === 0) wrong(`${id} has no order, and was told ${refusal ?? 'nothing'}`);
  const paymentOf = new Map(payments.map((payment) => [payment.orderId, payment]));
  for (const { id, state } of orders) {
    const payment = paymentOf.get(id)?.state ?? 'not there';
    if (WAITING.has(state)) wrong(`order ${id} is still ${state}, its payment is ${payment}`);
    else if (!UNSETTLED.has(payment) && !FITTING[state]?.includes(payment))
      wrong(`order ${id} is ${state}, and its payment is ${payment}`);
  }
  for (const { id, state } of payments) if (UNSETTLED.has(state)) wrong(`payment ${id} is still ${state}`);
  for (const [what, count] of Object.entries(leftovers)) if (count !== 0) wrong(`${count} ${what}`);
  return found;
}
