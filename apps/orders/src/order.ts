/**
 * What an order is and what may become of it. No framework, no I/O: everything here is decided from plain values.
 *
 *   pending ──▶ paid ──▶ cancelled ──▶ refunded
 *      ├──────▶ payment_failed  ▲
 *      └────────────────────────┘ (by the customer, or because it stayed unpaid for too long)
 */
export type Line = { sku: string; name: string; quantity: number; unitPrice: number };

type Common = {
  id: string;
  customerId: string;
  draftId: string;
  email: string;
  /** ISO 4217. All amounts of the order are whole numbers of this currency's minor unit. */
  currency: string;
  total: number;
  lines: Line[];
  createdAt: Date;
};

export type CancelReason = 'customer' | 'expired';

/** Each state carries what only it knows. */
export type OrderState =
  | { state: 'pending' }
  | { state: 'paid'; paymentId: string; paidAt: string }
  | { state: 'payment_failed'; paymentId: string; reason: string }
  | { state: 'cancelled'; reason: CancelReason; cancelledAt: string; paymentId?: string }
  | { state: 'refunded'; reason: CancelReason; cancelledAt: string; paymentId: string; refundedAt: string };

export type Order = Common & OrderState;

export type Draft = { id: string; email: string; currency: string; lines: Line[] };

/** What a decision adds to the outbox: the event's type without its version, and its data. */
export type Announcement = { type: string; data: Record<string, unknown> };

/** The order as it is to be saved, and what is to be announced. */
export type Decision = { order: Order; announce: Announcement[] };

/** Every error code of the orders API, with its kind; `docs/errors.md` explains each of them. */
export const ORDER_ERRORS = {
  order_not_found: 'not_found',
  draft_not_found: 'not_found',
  draft_already_confirmed: 'conflict',
  order_not_cancellable: 'conflict',
  total_out_of_range: 'invalid',
  idempotency_key_missing: 'invalid',
  idempotency_key_in_flight: 'conflict',
  idempotency_key_reused: 'unprocessable',
} as const;

export class OrderError extends Error {
  readonly code: keyof typeof ORDER_ERRORS;
  readonly kind: (typeof ORDER_ERRORS)[keyof typeof ORDER_ERRORS];
  /** Seconds after which the same request may fare better. */
  readonly retryAfterS?: number;
  constructor(
    code: keyof typeof ORDER_ERRORS,
    message: string,
    { retryAfterS }: { retryAfterS?: number } = {},
  ) {
    super(message);
    if (retryAfterS !== undefined) this.retryAfterS = retryAfterS;
    this.name = 'OrderError';
    this.code = code;
    this.kind = ORDER_ERRORS[code];
  }
}

/** The sum of the lines, in minor units. */
export function totalOf(lines: Line[]): number {
  const total = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  // Past 2^53 a sum is rounded, and money must not be.
  if (!Number.isSafeInteger(total)) {
    throw new OrderError('total_out_of_range', `The lines add up to more than ${Number.MAX_SAFE_INTEGER}.`);
  }
  return total;
}

/** A draft becomes an order. The card token goes to payments and is not kept here. */
export function confirm(
  draft: Draft,
  by: { id: string; customerId: string; cardToken: string; now: Date },
): Decision {
  const order: Order = {
    id: by.id,
    customerId: by.customerId,
    draftId: draft.id,
    email: draft.email,
    currency: draft.currency,
    total: totalOf(draft.lines),
    lines: draft.lines,
    createdAt: by.now,
    state: 'pending',
  };
  return {
    order,
    announce: [{ type: 'order.confirmed', data: { ...factsOf(order), cardToken: by.cardToken } }],
  };
}

/** Undefined when the order has moved on: the payment was late, and payments refunds it on `order.cancelled`. */
export function pay(order: Order, payment: { paymentId: string }, now: Date): Decision | undefined {
  if (order.state !== 'pending') return undefined;
  const { paymentId } = payment;
  const paid: Order = { ...order, state: 'paid', paymentId, paidAt: now.toISOString() };
  return {
    order: paid,
    announce: [{ type: 'order.paid', data: { ...factsOf(paid), paymentId, paidAt: paid.paidAt } }],
  };
}

/** Undefined when the order was cancelled before. */
export function failPayment(
  order: Order,
  payment: { paymentId: string; reason: string },
): Decision | undefined {
  if (order.state !== 'pending') return undefined;
  const { paymentId, reason } = payment;
  const failed: Order = { ...order, state: 'payment_failed', paymentId, reason };
  return {
    order: failed,
    announce: [{ type: 'order.payment_failed', data: { ...factsOf(failed), reason } }],
  };
}

/** Cancels an order that is pending or paid; a payment that was made, or still lands, is refunded by payments. */
export function cancel(order: Order, reason: CancelReason, now: Date): Decision {
  if (order.state !== 'pending' && order.state !== 'paid') {
    throw new OrderError('order_not_cancellable', `The order is ${order.state} and can't be cancelled.`);
  }
  const cancelled: Order = {
    ...commonOf(order),
    state: 'cancelled',
    reason,
    cancelledAt: now.toISOString(),
    ...(order.state === 'paid' && { paymentId: order.paymentId }),
  };
  return {
    order: cancelled,
    announce: [{ type: 'order.cancelled', data: { ...factsOf(cancelled), reason } }],
  };
}

/** Undefined unless the order is pending: only an unpaid order expires. */
export function expire(order: Order, now: Date): Decision | undefined {
  return order.state === 'pending' ? cancel(order, 'expired', now) : undefined;
}

/** Undefined when it is refunded already. */
export function refund(order: Order, payment: { paymentId: string }, now: Date): Decision | undefined {
  if (order.state !== 'cancelled') return undefined;
  const { paymentId } = payment;
  const refunded: Order = { ...order, state: 'refunded', paymentId, refundedAt: now.toISOString() };
  return {
    order: refunded,
    announce: [{ type: 'order.refunded', data: { ...factsOf(refunded), paymentId } }],
  };
}

/** The fields that belong to the state, for storage beside the common ones. */
export function detailsOf(order: Order): Record<string, unknown> {
  const common = new Set<string>([...Object.keys(commonOf(order)), 'state']);
  return Object.fromEntries(Object.entries(order).filter(([field]) => !common.has(field)));
}

function commonOf({ id, customerId, draftId, email, currency, total, lines, createdAt }: Order): Common {
  return { id, customerId, draftId, email, currency, total, lines, createdAt };
}

/** What every event about an order says. */
function factsOf({ id, customerId, email, currency, total, lines }: Order): Record<string, unknown> {
  return { orderId: id, customerId, email, currency, total, lines };
}
