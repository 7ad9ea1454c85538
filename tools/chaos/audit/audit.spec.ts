import { describe, expect, it } from '@jest/globals';
import type { Books, Violation } from './audit-books.ts';
import { audit } from './audit.ts';

const EUR = { currency: 'EUR' };

/** Four orders, one in each way that an order can end, as every party should tell of them. */
function sound(): Books {
  const books: Books = {
    ...{ intents: [], orders: [], payments: [], charges: [], events: [], receipts: [], mails: [] },
    leftovers: { 'outbox rows': 0 },
  };
  add(books, { n: 1, state: 'paid', payment: 'succeeded', events: ['confirmed', 'paid'] });
  add(books, { n: 2, state: 'payment_failed', payment: 'failed', events: ['confirmed', 'payment_failed'] });
  add(books, {
    ...{ n: 3, state: 'refunded', payment: 'refunded' },
    events: ['confirmed', 'paid', 'cancelled', 'refunded'],
  });
  add(books, { n: 4, state: 'cancelled', payment: 'failed', events: ['confirmed', 'cancelled'] });
  return books;
}

type Sample = { n: number; state: string; payment: string; events: string[] };

function add(books: Books, { n, state, payment, events }: Sample): void {
  const [id, customer, draft, total] = [`o${n}`, `c${n}`, `d${n}`, 100 * n];
  const wasCancelled = events.includes('cancelled');
  const succeeded = payment !== 'failed';
  books.intents.push({
    ...{ id: `i${n}`, customer, drafts: [draft], ...EUR, total, cardIsGood: succeeded, accepted: [id] },
    ...{ otherReplies: 0, cancelled: wasCancelled },
  });
  books.orders.push({ id, customer, draftId: draft, ...EUR, total, state });
  books.payments.push({ id: `p${n}`, orderId: id, ...EUR, amount: total, state: payment });
  const refunded = payment === 'refunded' ? total : 0;
  books.charges.push({
    id: `ch${n}`,
    key: `p${n}`,
    reference: id,
    ...EUR,
    amount: total,
    succeeded,
    refunded,
  });
  const at = { topic: 'orders', partition: 0, source: '/orders', subject: id };
  events.forEach((event, i) => {
    const type = `order.${event}.v1`;
    books.events.push({ ...at, offset: books.events.length, id: `${id}-${event}`, type, sequence: i + 1 });
    if (!['confirmed', 'paid'].includes(event)) books.mails.push(`<${id}-${event}@cairn.example>`);
  });
  if (!events.includes('paid')) return;
  books.receipts.push(`receipts/2026/11/22/${id}.pdf`);
  const receipt = { topic: 'receipts', partition: 0, source: '/worker', subject: id, offset: n };
  books.events.push({ ...receipt, id: `${id}-receipt`, type: 'receipt.stored.v1' });
  books.mails.push(`<${id}-receipt@cairn.example>`);
}

const after = (harm: (books: Books) => void): Violation[] => {
  const books = sound();
  harm(books);
  return audit(books).violations;
};
const event = (books: Books, id: string) => books.events.find((one) => one.id === id)!;

describe('an audit of sound books', () => {
  it('finds nothing, and adds the money up per currency', () => {
    const books = sound();
    add(books, { n: 5, state: 'paid', payment: 'succeeded', events: ['confirmed', 'paid'] });
    for (const rows of [books.intents, books.orders, books.payments, books.charges])
      rows.at(-1)!.currency = 'JPY';
    const { money, violations, counts } = audit(books);
    expect(violations).toEqual([]);
    expect(money).toEqual([
      { currency: 'EUR', captured: 400, refunded: 300, gateway: 100, payments: 100, orders: 100 },
      { currency: 'JPY', captured: 500, refunded: 0, gateway: 500, payments: 500, orders: 500 },
    ]);
    expect(counts).toMatchObject({ intents: 5, orders: 5, paid: 2, refunded: 1, 'payment failed': 1 });
  });

  it('lets an event or an e-mail come twice under one id, and counts it', () => {
    const books = sound();
    books.events.push({ ...event(books, 'o1-paid'), offset: 99 });
    books.mails.push(books.mails[0]!);
    const { violations, counts } = audit(books);
    expect(violations).toEqual([]);
    expect(counts).toMatchObject({ 'events sent again': 1, 'mails sent again': 1 });
  });

  it('asks for no receipt where an order was cancelled before it was paid', () => {
    const late = after((books) => {
      books.events = books.events.filter(({ id }) => !['o3-paid', 'o3-receipt'].includes(id));
      event(books, 'o3-cancelled').sequence = 2;
      event(books, 'o3-refunded').sequence = 3;
      books.receipts = books.receipts.filter((key) => !key.includes('o3'));
      books.mails = books.mails.filter((id) => !id.includes('o3-receipt'));
    });
    expect(late).toEqual([]);
  });
});

/** What is planted, and what must be found. */
const PLANTED: [string, (books: Books) => void, Violation['kind'], string][] = [
  [
    'a second charge',
    (b) => b.charges.push({ ...b.charges[0]!, id: 'ch9', key: 'other' }),
    'doubled',
    'charged 2 times',
  ],
  [
    'a second charge in the sum',
    (b) => b.charges.push({ ...b.charges[0]!, id: 'ch9' }),
    'money',
    'EUR: the gateway kept 200',
  ],
  ['a cent too much', (b) => b.charges[0]!.amount++, 'money', 'charge ch1 is 101 EUR, the order 100 EUR'],
  ['a charge in another currency', (b) => (b.charges[0]!.currency = 'USD'), 'money', 'charge ch1 is 100 USD'],
  ['a payment over another amount', (b) => b.payments[0]!.amount--, 'money', 'payment p1 is 99 EUR'],
  [
    'a refund that never was',
    (b) => (b.charges[2]!.refunded = 0),
    'money',
    'it is refunded, and the gateway kept 300',
  ],
  ['half a refund', (b) => (b.charges[2]!.refunded = 150), 'money', 'kept 150 instead of 0'],
  [
    'a refund of an order that stands',
    (b) => (b.charges[0]!.refunded = 100),
    'money',
    'kept 0 instead of 100',
  ],
  ['a charge for no order', (b) => (b.charges[1]!.reference = 'x'), 'money', '1 charges for x'],
  ['two mistakes that are 0 in the sum', swapped, 'money', 'order o1: it is paid, and the gateway kept 50'],
  [
    'payments that do not know of a success',
    (b) => (b.payments[0]!.state = 'failed'),
    'money',
    'payments worth 0',
  ],
  ['an order that is gone', (b) => b.orders.shift(), 'lost', 'o1 was answered with 201 and is not there'],
  ['an order over another total', (b) => b.orders[0]!.total++, 'lost', 'asked for was 100 EUR'],
  ["another customer's order", (b) => (b.orders[0]!.customer = 'c2'), 'lost', "it is c2's"],
  [
    'a cancel that was forgotten',
    (b) => (b.intents[0]!.cancelled = true),
    'lost',
    'told that it is cancelled',
  ],
  ['a declined card that paid', (b) => (b.intents[0]!.cardIsGood = false), 'lost', 'its card is declined'],
  ['a good card that was refused', (b) => (b.intents[1]!.cardIsGood = true), 'lost', 'its card is good'],
  [
    'an order that nobody charged',
    (b) => b.charges.splice(3, 1),
    'lost',
    'order o4 is cancelled, and nobody ever',
  ],
  ['an event that is gone', (b) => drop(b, 'o1-paid'), 'lost', 'order.paid.v1 is not on its topic'],
  ['two orders of one intent', secondOrder, 'doubled', '2 orders of one intent'],
  ['an intent that was told of two', (b) => b.intents[0]!.accepted.push('o2'), 'doubled', 'told of 2 orders'],
  ['another reply to the same key', (b) => (b.intents[0]!.otherReplies = 1), 'doubled', 'not byte for byte'],
  ['two payments', (b) => b.payments.push({ ...b.payments[0]!, id: 'p9' }), 'doubled', 'has 2 payments'],
  ['an event under a second id', (b) => again(b, 'o1-paid'), 'doubled', 'was announced as 2 events'],
  ['two receipts', (b) => b.receipts.push('receipts/2026/11/23/o1.pdf'), 'doubled', 'has 2 receipts'],
  ['a receipt of nothing', (b) => b.receipts.push('receipts/2026/11/22/o2.pdf'), 'doubled', 'was never paid'],
  [
    'a copy under a new Message-ID',
    (b) => b.mails.push('<new@cairn.example>'),
    'doubled',
    'belongs to no event',
  ],
  ['no receipt', (b) => b.receipts.shift(), 'stuck', 'o1 was paid and has no receipt'],
  ['no e-mail', (b) => b.mails.shift(), 'stuck', 'no e-mail tells of'],
  ['a pending order', (b) => (b.orders[0]!.state = 'pending'), 'stuck', 'order o1 is still pending'],
  ['a payment in doubt', (b) => (b.payments[0]!.state = 'charging'), 'stuck', 'p1 is still charging'],
  ['a refund that waits', (b) => (b.payments[2]!.state = 'refunding'), 'stuck', 'p3 is still refunding'],
  [
    'an order that was not told',
    (b) => (b.orders[2]!.state = 'cancelled'),
    'stuck',
    'and its payment is refunded',
  ],
  ['an order without payment', (b) => b.payments.shift(), 'stuck', 'its payment is not there'],
  ['a row in an outbox', (b) => (b.leftovers['outbox rows'] = 2), 'stuck', '2 outbox rows'],
  ['an intent without an answer', unanswered, 'stuck', 'i9 has no order, and was told 503'],
  ['a gap', (b) => (event(b, 'o1-paid').sequence = 3), 'order', 'are on the topic as 1, 3'],
  ['an inversion', (b) => (event(b, 'o1-paid').offset = -1), 'order', 'are on the topic as 2, 1'],
  ['a key in two partitions', (b) => (event(b, 'o1-paid').partition = 4), 'order', 'are in 2 partitions'],
];

function swapped({ charges, intents, orders, payments }: Books): void {
  charges[0]!.refunded = 50;
  charges[2]!.refunded = 250;
  expect([intents, orders, payments].map(({ length }) => length)).toEqual([4, 4, 4]);
}
function secondOrder(books: Books): void {
  books.intents[0]!.drafts.push('d9');
  books.orders.push({ ...books.orders[0]!, id: 'o9', draftId: 'd9' });
}
function drop(books: Books, id: string): void {
  books.events = books.events.filter((one) => one.id !== id);
}
function again(books: Books, id: string): void {
  books.events.push({ ...event(books, id), id: 'another', sequence: undefined });
}
function unanswered(books: Books): void {
  const intent = { ...books.intents[0]!, id: 'i9', customer: 'c9', drafts: ['d9'], accepted: [] };
  books.intents.push({ ...intent, refusal: '503' });
}

describe('an audit', () => {
  it.each(PLANTED)('finds %s', (_, harm, kind, text) => {
    const found = after(harm).filter((violation) => violation.kind === kind);
    expect(found.map((violation) => violation.text).join('\n')).toContain(text);
  });

  it('sees two mistakes that cancel each other out in the sums', () => {
    const books = sound();
    swapped(books);
    expect(audit(books).money[0]).toMatchObject({ gateway: 100, orders: 100 });
  });
});
