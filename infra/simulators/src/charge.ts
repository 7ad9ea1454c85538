import { z } from 'zod';
import { Problem } from './problem.ts';

/** The test cards: what a charge of each token comes to. */
export const cards = {
  tok_visa: 'succeeded',
  tok_mastercard: 'succeeded',
  tok_amex: 'succeeded',
  tok_chargeDeclined: 'generic_decline',
  tok_insufficientFunds: 'insufficient_funds',
  tok_expiredCard: 'expired_card',
  tok_lostCard: 'lost_card',
  tok_fraudulent: 'fraudulent',
} as const;

/** Minor units. At most 12 digits, as in the amount field of a card message (ISO 8583, field 4). */
const amount = z.int().min(1).max(999_999_999_999);
const currencies = new Set(Intl.supportedValuesOf('currency'));
const currency = z.string().refine((code) => currencies.has(code), 'must be an ISO 4217 code in capitals');

export const chargeRequestSchema = z.strictObject({
  amount,
  currency,
  cardToken: z.string().min(1).max(100),
  /** What the caller knows the charge by, for instance an order id. */
  reference: z.string().min(1).max(200).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

export const refundRequestSchema = z.strictObject({
  chargeId: z.string().min(1).max(100),
  /** Minor units. Absent: all that is left of the charge. */
  amount: amount.optional(),
});

const chargeFields = {
  id: z.string(),
  amount,
  currency: z.string(),
  refundedAmount: z.int().min(0),
  reference: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  createdAt: z.iso.datetime(),
};

export const chargeSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('succeeded'), ...chargeFields }),
  z.strictObject({ status: z.literal('declined'), declineCode: z.string(), ...chargeFields }),
]);

export const refundSchema = z.strictObject({
  id: z.string(),
  chargeId: z.string(),
  amount,
  currency: z.string(),
  status: z.literal('succeeded'),
  createdAt: z.iso.datetime(),
});

/** Charges in the order in which they were made; `hasMore` says whether some follow the last of these. */
export type ChargePage = { charges: (Charge & { idempotencyKey: string })[]; hasMore: boolean };

export type ChargeRequest = z.infer<typeof chargeRequestSchema>;
export type RefundRequest = z.infer<typeof refundRequestSchema>;
export type Charge = z.infer<typeof chargeSchema>;
export type Refund = z.infer<typeof refundSchema>;

/** Decides one charge. `forceDecline` is the injected fault: it declines a good card, never helps a bad one. */
export function decideCharge(
  request: ChargeRequest,
  at: { id: string; now: Date; forceDecline: boolean },
): Charge {
  const { cardToken, reference = null, metadata = {} } = request;
  if (!Object.hasOwn(cards, cardToken)) throw new Problem('unknown_card_token', `No test card ${cardToken}`);
  const outcome = cards[cardToken as keyof typeof cards];
  const fields = {
    id: at.id,
    amount: request.amount,
    currency: request.currency,
    refundedAmount: 0,
    reference,
    metadata,
    createdAt: at.now.toISOString(),
  };
  if (outcome !== 'succeeded') return { ...fields, status: 'declined', declineCode: outcome };
  if (at.forceDecline) return { ...fields, status: 'declined', declineCode: 'generic_decline' };
  return { ...fields, status: 'succeeded' };
}

/** Decides one refund of a charge as it stands now, that is with its earlier refunds in `refundedAmount`. */
export function decideRefund(charge: Charge, request: RefundRequest, at: { id: string; now: Date }): Refund {
  if (charge.status === 'declined') throw new Problem('charge_not_refundable');
  const left = charge.amount - charge.refundedAmount;
  const refunded = request.amount ?? left;
  if (refunded > left || left === 0) {
    throw new Problem(
      'refund_exceeds_charge',
      `Of ${charge.id} ${left} ${charge.currency} is left to refund`,
    );
  }
  return {
    id: at.id,
    chargeId: charge.id,
    amount: refunded,
    currency: charge.currency,
    status: 'succeeded',
    createdAt: at.now.toISOString(),
  };
}
