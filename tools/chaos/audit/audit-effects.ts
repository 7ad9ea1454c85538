import { by, type Books, type SeenEvent, type Violation } from './audit-books.ts';

/** Which event is told to the customer by an e-mail, and which is said once in an order's life. */
const TOLD = ['receipt.stored.v1', 'order.payment_failed.v1', 'order.cancelled.v1', 'order.refunded.v1'];
const ONCE = ['order.confirmed.v1', 'order.paid.v1', ...TOLD];

/** Events, receipts and e-mails: each there, each once, each in its place. */
export function effectViolations(books: Books): Violation[] {
  const events = firstOccurrences(books.events);
  return [
    ...sequences(events),
    ...announcements(books, events),
    ...receipts(books, events),
    ...mails(books, events),
  ];
}

/** An event that was published again after a lost acknowledgement is a copy: at least once is what is promised. */
function firstOccurrences(events: SeenEvent[]): SeenEvent[] {
  const seen = new Set<string>();
  return events.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** 1, 2, 3 … per source and subject, in the order of the partition. */
function sequences(events: SeenEvent[]): Violation[] {
  const found: Violation[] = [];
  const numbered = events.filter(({ sequence }) => sequence !== undefined);
  for (const [key, ofOne] of by(numbered, ({ topic, source, subject }) => `${topic} ${source} ${subject}`)) {
    const partitions = new Set(ofOne.map(({ partition }) => partition));
    const inOrder = ofOne.toSorted((one, other) => one.offset - other.offset).map(({ sequence }) => sequence);
    if (partitions.size > 1)
      found.push({ kind: 'order', text: `the events of ${key} are in ${partitions.size} partitions` });
    else if (inOrder.some((sequence, i) => sequence !== i + 1))
      found.push({ kind: 'order', text: `the events of ${key} are on the topic as ${inOrder.join(', ')}` });
  }
  return found;
}

function announcements({ orders }: Books, events: SeenEvent[]): Violation[] {
  const found: Violation[] = [];
  const once = events.filter(({ type }) => ONCE.includes(type));
  for (const [what, ofOne] of by(once, ({ type, subject }) => `${type} of ${subject}`))
    if (ofOne.length > 1)
      found.push({ kind: 'doubled', text: `${what} was announced as ${ofOne.length} events` });
  const said = new Set(once.map(({ type, subject }) => `${type} ${subject}`));
  const due: Record<string, string[]> = {
    paid: ['order.paid.v1'],
    payment_failed: ['order.payment_failed.v1'],
    cancelled: ['order.cancelled.v1'],
    refunded: ['order.cancelled.v1', 'order.refunded.v1'],
  };
  for (const { id, state } of orders)
    for (const type of ['order.confirmed.v1', ...(due[state] ?? [])])
      if (!said.has(`${type} ${id}`))
        found.push({ kind: 'lost', text: `order ${id} is ${state}, and ${type} is not on its topic` });
  return found;
}

/** One object per order that was ever paid. The key ends in the order's id. */
function receipts({ receipts }: Books, events: SeenEvent[]): Violation[] {
  const found: Violation[] = [];
  const stored = by(receipts, (key) => key.slice(key.lastIndexOf('/') + 1).replace(/\.pdf$/, ''));
  const paid = new Set(events.filter(({ type }) => type === 'order.paid.v1').map(({ subject }) => subject));
  for (const id of paid)
    if (!stored.has(id)) found.push({ kind: 'stuck', text: `order ${id} was paid and has no receipt` });
  for (const [id, keys] of stored) {
    if (keys.length > 1) found.push({ kind: 'doubled', text: `order ${id} has ${keys.length} receipts` });
    if (!paid.has(id)) found.push({ kind: 'doubled', text: `order ${id} has a receipt and was never paid` });
  }
  return found;
}

/** A Message-ID is `<the event's id@…>`: one that belongs to no event was made anew for a copy. */
function mails({ mails }: Books, events: SeenEvent[]): Violation[] {
  const found: Violation[] = [];
  const told = new Map(events.filter(({ type }) => TOLD.includes(type)).map((event) => [event.id, event]));
  const sent = new Set(mails.map((id) => /^<?([^@>]*)/.exec(id)![1]!));
  for (const { id, type, subject } of told.values())
    if (!sent.has(encodeURIComponent(id)))
      found.push({ kind: 'stuck', text: `no e-mail tells of ${type} of ${subject}` });
  const due = new Set([...told.keys()].map(encodeURIComponent));
  for (const id of sent)
    if (!due.has(id)) found.push({ kind: 'doubled', text: `the e-mail ${id} belongs to no event` });
  return found;
}
