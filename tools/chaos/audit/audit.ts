import type { Books, Violation } from './audit-books.ts';
import { effectViolations } from './audit-effects.ts';
import { moneyOf, moneyViolations, type MoneyRow } from './audit-money.ts';
import { orderViolations } from './audit-orders.ts';

export type Audit = { money: MoneyRow[]; counts: Record<string, number>; violations: Violation[] };

/** Holds the books of everybody against each other. Nothing but values: what is read from where is not its business. */
export function audit(books: Books): Audit {
  return {
    money: moneyOf(books),
    counts: countsOf(books),
    violations: [...moneyViolations(books), ...orderViolations(books), ...effectViolations(books)],
  };
}

function countsOf({ intents, orders, payments, charges, events, receipts, mails }: Books) {
  const inState = (state: string) => orders.filter((order) => order.state === state).length;
  return {
    intents: intents.length,
    accepted: intents.filter(({ accepted }) => accepted.length > 0).length,
    orders: orders.length,
    paid: inState('paid'),
    'payment failed': inState('payment_failed'),
    cancelled: inState('cancelled'),
    refunded: inState('refunded'),
    expired: orders.filter(({ reason }) => reason === 'expired').length,
    payments: payments.length,
    charges: charges.length,
    refunds: charges.filter(({ refunded }) => refunded > 0).length,
    receipts: receipts.length,
    mails: mails.length,
    // The promise is one Message-ID, not one copy: between the server's 250 and ours, a crash sends it again.
    'mails sent again': mails.length - new Set(mails).size,
    events: events.length,
    'events sent again': events.length - new Set(events.map(({ id }) => id)).size,
  };
}
