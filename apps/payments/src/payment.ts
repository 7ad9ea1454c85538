/**
 * What a payment is and what may become of it. No framework, no I/O.
 *
 *   charging ──▶ succeeded ──▶ refunding ──▶ refunded
 *      └───────▶ failed ─────────▲ (charged after it was closed, by a process that was thought dead)
 *
 * `charging` also means "we do not know": a gateway that did not answer may have charged. Only its own word settles it.
 * `refunding` is decided before the gateway hears of it: a refund that fails, or whose answer is lost, is not forgotten.
 */
type Common = {
  id: string;
  orderId: string;
  customerId: string;
  /** In the currency's minor unit. */
  amount: number;
  currency: string;
  createdAt: Date;
  /** What orders last told of the order. Undefined for a payment from before payments listened to that. */
  orderState?: OrderState;
};

/** In the order in which an order goes through them; none is gone back to. */
const ORDER_STATES = ['pending', 'paid', 'payment_failed', 'cancelled', 'refunded'] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** `since` is when the state was reached, or last announced; rows from before it was kept have none. */
export type PaymentState =
  | { state: 'charging' }
  | { state: 'succeeded'; chargeId: string; since?: string }
  | { state: 'failed'; reason: string; since?: string }
  | Refunding
  | { state: 'refunded'; chargeId: string; refundId: string; since?: string };

/** `attempts` counts what the gateway refused, `triedAt` and `refusal` are of the latest of these. */
export type Refunding = {
  state: 'refunding';
  chargeId: string;
  since: string;
  attempts: number;
  triedAt?: string;
  refusal?: string;
};

export type Payment = Common & PaymentState;

/** What the gateway said of a charge. No answer is not a result. */
export type ChargeResult = { charged: true; chargeId: string } | { charged: false; reason: string };
/** What it said of a refund. */
export type RefundResult = { refunded: true; refundId: string } | { refunded: false; reason: string };

export type Announcement = { type: string; data: Record<string, unknown> };
export type Decision = { payment: Payment; announce: Announcement[] };

/** Every error code of the payments API, with its kind; `docs/errors.md` explains each of them. */
export const PAYMENT_ERRORS = { payment_not_found: 'not_found' } as const;

export class PaymentError extends Error {
  readonly code: keyof typeof PAYMENT_ERRORS;
  readonly kind: (typeof PAYMENT_ERRORS)[keyof typeof PAYMENT_ERRORS];
  constructor(code: keyof typeof PAYMENT_ERRORS, message: string) {
    super(message);
    this.name = 'PaymentError';
    this.code = code;
    this.kind = PAYMENT_ERRORS[code];
  }
}

/** The reason of a payment that was closed before anybody charged it. */
export const ORDER_CANCELLED = 'order_cancelled';

/** Undefined when it is settled already: the same answer came twice. */
export function settle(payment: Payment, result: ChargeResult, now: Date): Decision | undefined {
  if (payment.state !== 'charging') return undefined;
  const since = now.toISOString();
  return result.charged
    ? announced({ ...payment, state: 'succeeded', chargeId: result.chargeId, since })
    : announced({ ...payment, state: 'failed', reason: result.reason, since });
}

/**
 * The order was cancelled: what was charged is to be given back, and what nobody has charged is closed, so that a replay
 * of the order charges nothing. Undefined when that is decided already.
 */
export function cancel(payment: Payment, now: Date): Decision | undefined {
  const noted = { ...payment, orderState: latest(payment.orderState, 'cancelled') };
  if (payment.state === 'charging') return settle(noted, { charged: false, reason: ORDER_CANCELLED }, now);
  if (payment.state === 'succeeded') return beginRefund(noted, payment.chargeId, now);
  return noteOrder(payment, 'cancelled');
}

/**
 * The money of this charge is to be given back: of a payment that succeeded, or of one that was closed and charged
 * afterwards. Undefined when that is decided already, or when we do not know of a charge.
 */
export function beginRefund(payment: Payment, chargeId: string, now: Date): Decision | undefined {
  if (payment.state !== 'succeeded' && payment.state !== 'failed') return undefined;
  const since = now.toISOString();
  return {
    payment: { ...commonOf(payment), state: 'refunding', chargeId, since, attempts: 0 },
    announce: [],
  };
}

/** What the gateway said of the refund: it is made, or refused and tried again later. Undefined when it is made already. */
export function concludeRefund(payment: Payment, result: RefundResult, now: Date): Decision | undefined {
  if (payment.state !== 'refunding') return undefined;
  const { chargeId, attempts } = payment;
  const at = now.toISOString();
  if (result.refunded) {
    const { refundId } = result;
    return announced({ ...commonOf(payment), state: 'refunded', chargeId, refundId, since: at });
  }
  const refused = { ...payment, attempts: attempts + 1, triedAt: at, refusal: result.reason };
  return { payment: refused, announce: [] };
}

const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;

/** When a pending refund is tried again: at once if nobody has refused it, else after 1, 2, 4 … minutes, an hour at most. */
export function nextRefundAt({ since, attempts, triedAt }: Refunding): Date {
  if (!triedAt) return new Date(since);
  return new Date(Date.parse(triedAt) + Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LAST_RETRY_MS));
}

/** What orders told of the order. Undefined when that is no news: its states are passed through in one direction. */
export function noteOrder(payment: Payment, state: OrderState): Decision | undefined {
  if (payment.orderState && latest(payment.orderState, state) === payment.orderState) return undefined;
  return { payment: { ...payment, orderState: state }, announce: [] };
}

/** Announces once more what the payment came to, under a new number. Undefined while it has come to nothing. */
export function tellAgain(payment: Payment, now: Date): Decision | undefined {
  if (payment.state === 'charging' || payment.state === 'refunding') return undefined;
  return announced({ ...payment, since: now.toISOString() });
}

/** The fields that belong to the state, for storage beside the common ones. */
export function detailsOf(payment: Payment): Record<string, unknown> {
  const common = new Set([...Object.keys(commonOf(payment)), 'state', 'orderState']);
  return Object.fromEntries(Object.entries(payment).filter(([field]) => !common.has(field)));
}

function commonOf({ id, orderId, customerId, amount, currency, createdAt, orderState }: Payment): Common {
  const common = { id, orderId, customerId, amount, currency, createdAt };
  return orderState ? { ...common, orderState } : common;
}

function latest(one: OrderState | undefined, other: OrderState): OrderState {
  return one && ORDER_STATES.indexOf(one) > ORDER_STATES.indexOf(other) ? one : other;
}

function announced(payment: Payment): Decision {
  const { id, orderId, amount, currency, state } = payment;
  const facts = { paymentId: id, orderId, amount, currency };
  const data = state === 'failed' ? { ...facts, reason: payment.reason } : facts;
  return { payment, announce: [{ type: `payment.${state}`, data }] };
}
