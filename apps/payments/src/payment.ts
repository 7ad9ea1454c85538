/**
 * What a payment is and what may become of it. No framework, no I/O.
 *
 *   charging ──▶ succeeded ──▶ refunded
 *      └───────▶ failed
 *
 * `charging` also means "we do not know": a gateway that did not answer may have charged. Only its own word settles it.
 */
type Common = {
  id: string;
  orderId: string;
  customerId: string;
  /** In the currency's minor unit. */
  amount: number;
  currency: string;
  createdAt: Date;
};

export type PaymentState =
  | { state: 'charging' }
  | { state: 'succeeded'; chargeId: string }
  | { state: 'failed'; reason: string }
  | { state: 'refunded'; chargeId: string; refundId: string };

export type Payment = Common & PaymentState;

/** What the gateway said of a charge. No answer is not a result. */
export type ChargeResult = { charged: true; chargeId: string } | { charged: false; reason: string };

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

/** Undefined when it is settled already: the same answer came twice. */
export function settle(payment: Payment, result: ChargeResult): Decision | undefined {
  if (payment.state !== 'charging') return undefined;
  if (result.charged) {
    const succeeded: Payment = { ...payment, state: 'succeeded', chargeId: result.chargeId };
    return { payment: succeeded, announce: [{ type: 'payment.succeeded', data: factsOf(payment) }] };
  }
  const { reason } = result;
  const failed: Payment = { ...payment, state: 'failed', reason };
  return { payment: failed, announce: [{ type: 'payment.failed', data: { ...factsOf(payment), reason } }] };
}

/** Undefined unless there is money to give back. */
export function refund(payment: Payment, refundId: string): Decision | undefined {
  if (payment.state !== 'succeeded') return undefined;
  const refunded: Payment = { ...payment, state: 'refunded', refundId };
  return { payment: refunded, announce: [{ type: 'payment.refunded', data: factsOf(payment) }] };
}

/** The fields that belong to the state, for storage beside the common ones. */
export function detailsOf(payment: Payment): Record<string, unknown> {
  const {
    id: _i,
    orderId: _o,
    customerId: _c,
    amount: _a,
    currency: _u,
    createdAt: _t,
    state: _s,
    ...details
  } = payment;
  return details;
}

/** What every event about a payment says. */
function factsOf({ id, orderId, amount, currency }: Payment): Record<string, unknown> {
  return { paymentId: id, orderId, amount, currency };
}
