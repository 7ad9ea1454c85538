import { z } from 'zod';
import type { Payment } from './payment.ts';

export const idParameter = z.uuid();

export const paymentView = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  amount: z.number().int().describe("in the currency's minor unit"),
  currency: z.string(),
  state: z.enum(['charging', 'succeeded', 'failed', 'refunded']),
  reason: z.string().optional().describe('why it failed, as the gateway puts it'),
  createdAt: z.iso.datetime(),
});

export type PaymentView = z.infer<typeof paymentView>;

/** What the customer may see; the gateway's own ids stay with us. */
export function viewOf(payment: Payment): PaymentView {
  const { id, orderId, amount, currency, state, createdAt } = payment;
  const reason = payment.state === 'failed' ? { reason: payment.reason } : {};
  return { id, orderId, amount, currency, state, ...reason, createdAt: createdAt.toISOString() };
}
