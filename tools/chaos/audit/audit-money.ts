import {
  by,
  type Books,
  type ChargeRow,
  type OrderRow,
  type PaymentRow,
  type Violation,
} from './audit-books.ts';

/** One currency in the three books. Minor units. `paid` is what customers owe for orders that stand. */
export type MoneyRow = {
  currency: string;
  captured: number;
  refunded: number;
  /** Captures − refunds at the gateway. */
  gateway: number;
  /** Payments that succeeded and were not given back. */
  payments: number;
  /** Orders that are paid. */
  orders: number;
};

/** Per currency, in the order of the alphabet. */
export function moneyOf({ orders, payments, charges }: Books): MoneyRow[] {
  const taken = charges.filter(({ succeeded }) => succeeded);
  const currencies = new Set([...orders, ...payments, ...taken].map(({ currency }) => currency));
  return [...currencies].sort().map((currency) => {
    const sum = <T extends { currency: string }>(rows: T[], amount: (row: T) => number) =>
      rows.filter((row) => row.currency === currency).reduce((total, row) => total + amount(row), 0);
    const captured = sum(taken, ({ amount }) => amount);
    const refunded = sum(taken, (charge) => charge.refunded);
    return {
      currency,
      captured,
      refunded,
      gateway: captured - refunded,
      payments: sum(payments, ({ state, amount }) => (state === 'succeeded' ? amount : 0)),
      orders: sum(orders, ({ state, total }) => (state === 'paid' ? total : 0)),
    };
  });
}

/** Sums first, and then order by order: two mistakes that cancel each other out in a sum are still two. */
export function moneyViolations(books: Books): Violation[] {
  const found: Violation[] = [];
  const wrong = (text: string) => void found.push({ kind: 'money', text });
  for (const { currency, gateway, payments, orders } of moneyOf(books)) {
    if (gateway !== orders)
      wrong(`${currency}: the gateway kept ${gateway}, orders worth ${orders} are paid`);
    if (payments !== orders)
      wrong(`${currency}: payments worth ${payments} succeeded, orders worth ${orders} are paid`);
  }
  const charges = by(books.charges, ({ reference }) => reference);
  const payments = by(books.payments, ({ orderId }) => orderId);
  const known = new Set(books.orders.map(({ id }) => id));
  for (const order of books.orders)
    for (const text of orderMoney(order, payments.get(order.id) ?? [], charges.get(order.id) ?? []))
      wrong(`order ${order.id}: ${text}`);
  for (const [reference, ofNobody] of charges)
    if (!known.has(reference)) wrong(`${ofNobody.length} charges for ${reference}, which is no order`);
  return found;
}

function orderMoney(order: OrderRow, payments: PaymentRow[], charges: ChargeRow[]): string[] {
  const found: string[] = [];
  const captured = charges.filter(({ succeeded }) => succeeded);
  const kept = captured.reduce((sum, { amount, refunded }) => sum + amount - refunded, 0);
  const owed = order.state === 'paid' ? order.total : 0;
  if (kept !== owed) found.push(`it is ${order.state}, and the gateway kept ${kept} instead of ${owed}`);
  for (const { id, amount, currency } of captured)
    if (amount !== order.total || currency !== order.currency)
      found.push(`charge ${id} is ${amount} ${currency}, the order ${order.total} ${order.currency}`);
  for (const { id, amount, currency } of payments)
    if (amount !== order.total || currency !== order.currency)
      found.push(`payment ${id} is ${amount} ${currency}, the order ${order.total} ${order.currency}`);
  return found;
}
