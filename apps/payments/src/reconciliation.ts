import { nextRefundAt, type Payment } from './payment.ts';

/**
 * What reconciliation finds where the books of the gateway, of payments and of orders do not say the same. No I/O: rows in,
 * findings out. Orders' side is what orders told in its events.
 */
export const FINDINGS = {
  outcome_unknown: 'nobody knows yet whether it was charged',
  refund_pending: 'the money is to go back and has not yet',
  refund_missing: 'charged, and its order is cancelled or failed',
  charged_but_failed: 'failed or closed here, and charged at the gateway',
  order_not_told: 'settled, and its order has not moved',
  order_differs: 'its order says otherwise',
  charge_differs: 'the gateway has another amount, currency or outcome',
  charge_unknown: 'charged at the gateway, and no payment here',
} as const;
export type Finding = keyof typeof FINDINGS;

/** A charge as the gateway lists it. */
export type Charge = {
  id: string;
  status: 'succeeded' | 'declined';
  /** In the currency's minor unit. */
  amount: number;
  currency: string;
  refundedAmount: number;
  idempotencyKey: string;
};

/** What is wrong with a payment by itself and by what orders told. */
export function findingOf(payment: Payment): Finding | undefined {
  const { state, orderState } = payment;
  if (state === 'charging') return 'outcome_unknown';
  if (state === 'refunding') return 'refund_pending';
  if (!orderState) return undefined;
  if (orderState === 'pending') return 'order_not_told';
  if (state === 'succeeded') {
    if (orderState === 'refunded') return 'order_differs';
    return orderState === 'paid' ? undefined : 'refund_missing';
  }
  if (orderState === 'paid') return 'order_differs';
  return state === 'refunded' && orderState === 'cancelled' ? 'order_not_told' : undefined;
}

/** What is wrong with a charge by the payment that its key names. A charge that was declined took no money. */
export function findingOfCharge(charge: Charge, payment: Payment | undefined): Finding | undefined {
  const taken = charge.status === 'succeeded';
  if (!payment) return taken ? 'charge_unknown' : undefined;
  if (charge.amount !== payment.amount || charge.currency !== payment.currency) return 'charge_differs';
  // Not settled yet: found on the other side, in our own books.
  if (payment.state === 'charging' || payment.state === 'refunding') return undefined;
  if (payment.state === 'failed') return taken ? 'charged_but_failed' : undefined;
  const isGone = charge.refundedAmount >= charge.amount;
  const asBooked = payment.state === 'refunded' ? isGone : charge.refundedAmount === 0;
  return taken && asBooked && payment.chargeId === charge.id ? undefined : 'charge_differs';
}

/** When something can be done about a finding: a refund that was refused and an order that was told are left for a while. */
export function dueAt(payment: Payment, { tellAgainMs }: { tellAgainMs: number }): Date {
  if (payment.state === 'refunding') return nextRefundAt(payment);
  const told = payment.state === 'charging' ? undefined : payment.since;
  return new Date((told ? Date.parse(told) : payment.createdAt.getTime()) + tellAgainMs);
}

/**
 * `repaired`; `waiting` for its time, or for the gateway to know; `reported`, since only a person can tell what is right;
 * `failed`, and tried again in the next round.
 */
export type Outcome = 'repaired' | 'waiting' | 'reported' | 'failed';
export const OUTCOMES: Outcome[] = ['repaired', 'waiting', 'reported', 'failed'];

/** One round: what was looked at, and how often each finding came to which outcome. */
export type Round = {
  payments: number;
  charges: number;
  found: Partial<Record<Finding, Partial<Record<Outcome, number>>>>;
  /** False when the gateway stopped listing its charges midway. */
  complete: boolean;
};

export function count(round: Round, finding: Finding, outcome: Outcome): void {
  const outcomes = (round.found[finding] ??= {});
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

/** The round in short, for the report of a job. */
export function totals({ found, ...looked }: Round) {
  const sum = (outcome: Outcome) =>
    Object.values(found).reduce((total, outcomes) => total + (outcomes[outcome] ?? 0), 0);
  const [repaired, waiting, reported, failed] = OUTCOMES.map(sum);
  return { ...looked, repaired, waiting, reported, failed };
}

/** The round as lines for a terminal. */
export function linesOf({ payments, charges, found, complete }: Round): string[] {
  const row = (cells: (string | number)[]) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(10))).join('');
  const rows = (Object.keys(FINDINGS) as Finding[]).map((finding) =>
    row([finding, ...OUTCOMES.map((outcome) => found[finding]?.[outcome] ?? 0)]),
  );
  return [
    `compared ${charges} charges of the gateway, and ${payments} payments that were not finished`,
    row(['finding', ...OUTCOMES]),
    ...rows,
    ...(complete ? [] : ['The gateway did not list all of its charges: run it again.']),
  ];
}
