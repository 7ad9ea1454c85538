import { z } from 'zod';
import type { Payment } from './payment.ts';

export const idParameter = z.uuid();

export const paymentView = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  amount: z.number().int().describe("in the currency's minor unit"),
  currency: z.string(),
  state: z.enum(['charging', 'succeeded', 'failed', 'refunding', 'refunded']),
  reason: z
    .string()
    .optional()
    .describe('why it failed, or why its refund was refused the last time, as the gateway puts it'),
  createdAt: z.iso.datetime(),
});

export type PaymentView = z.infer<typeof paymentView>;

/** What the customer may see; the gateway's own ids stay with us. */
export function viewOf(payment: Payment): PaymentView {
  const { id, orderId, amount, currency, state, createdAt } = payment;
  const reason = reasonOf(payment);
  const view = { id, orderId, amount, currency, state, createdAt: createdAt.toISOString() };
  return reason === undefined ? view : { ...view, reason };
}

function reasonOf(payment: Payment): string | undefined {
  if (payment.state === 'failed') return payment.reason;
  return payment.state === 'refunding' ? payment.refusal : undefined;
}
