import { by, type Books, type Violation } from '../audit/audit-books.ts';
import type { Audit } from '../audit/audit.ts';
import type { Fault } from '../faults/faults.ts';

/** One line per intent: all that anybody knows of it. */
export function linesOf(books: Books): object[] {
  const byDraft = by(books.orders, ({ customer, draftId }) => `${customer} ${draftId}`);
  const payments = by(books.payments, ({ orderId }) => orderId);
  const charges = by(books.charges, ({ reference }) => reference);
  const events = by(books.events, ({ subject }) => subject);
  return books.intents.map((intent) => {
    const orders = intent.drafts.flatMap((draft) => byDraft.get(`${intent.customer} ${draft}`) ?? []);
    return {
      ...intent,
      orders: orders.map(({ id, state, reason }) => ({
        ...{ id, state, reason },
        payments: (payments.get(id) ?? []).map((payment) => ({ id: payment.id, state: payment.state })),
        charges: (charges.get(id) ?? []).map(({ reference: _, ...charge }) => charge),
        events: (events.get(id) ?? []).map(({ type, sequence, partition, offset, id: event }) => {
          return {
            type,
            ...(sequence !== undefined && { sequence }),
            at: `${partition}/${offset}`,
            id: event,
          };
        }),
      })),
    };
  });
}

/** Rows for a table: the three books side by side. Minor units. */
export function moneyRows({ money }: Audit): string[][] {
  const header = ['', 'captured', 'refunded', 'gateway kept', 'payments', 'paid orders', ''];
  const rows = money.map(({ currency, captured, refunded, gateway, payments, orders }) => [
    currency,
    ...[captured, refunded, gateway, payments, orders].map(String),
    gateway === orders && payments === orders ? 'equal' : 'NOT EQUAL',
  ]);
  return [header, ...rows];
}

/** `3 kill, 2 pause, …`, in the order of the alphabet. */
export function kindsOf(schedule: Fault[]): string {
  return [...by(schedule, ({ kind }) => kind)]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([kind, { length }]) => `${length} ${kind}`)
    .join(', ');
}

/** What a control must show: money that was taken twice, or an order that was made twice. */
export const showsDoubles = (violations: Violation[]) =>
  violations.some(({ kind }) => kind === 'doubled' || kind === 'money');

/** At most `most` of each kind in words, and how many more there are. */
export function violationLines(violations: Violation[], most = 8): string[] {
  return [...by(violations, ({ kind }) => kind)].flatMap(([kind, ofKind]) => [
    ...ofKind.slice(0, most).map(({ text }) => `${kind}: ${text}`),
    ...(ofKind.length > most ? [`${kind}: and ${ofKind.length - most} more`] : []),
  ]);
}
