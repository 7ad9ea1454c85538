import { z } from 'zod';
import type { Order } from './order.ts';

/** One schema per request and reply: it validates, and the OpenAPI document is made from it. */

// ISO 4217 as the runtime's ICU knows it, so that no list of ours grows old.
// Asked for with the first order: it maps 6 MB of data that many processes never need.
let currencies: Set<string> | undefined;
const isCurrency = (code: string) => (currencies ??= new Set(Intl.supportedValuesOf('currency'))).has(code);

const id = z.uuid();
const amount = z.number().int().max(Number.MAX_SAFE_INTEGER);

export const line = z.strictObject({
  sku: z.string().min(1).max(64),
  name: z.string().min(1).max(200),
  quantity: z.number().int().min(1).max(10_000),
  unitPrice: amount.min(1).describe("in the currency's minor unit"),
});

export const draftBody = z
  .strictObject({
    email: z.email().max(254),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, { error: 'expected three capital letters, as in EUR', abort: true })
      .refine(isCurrency, { error: 'not an ISO 4217 currency' }),
    lines: z.array(line).min(1).max(100),
  })
  .refine(
    (draft) => Number.isSafeInteger(draft.lines.reduce((sum, l) => sum + l.quantity * l.unitPrice, 0)),
    {
      error: `the lines add up to more than ${Number.MAX_SAFE_INTEGER}`,
      path: ['lines'],
    },
  );

export const draftView = z.object({
  id,
  email: z.string(),
  currency: z.string(),
  lines: z.array(line),
  total: amount,
  expiresAt: z.iso.datetime(),
});

export const confirmBody = z.strictObject({
  draftId: id,
  cardToken: z
    .string()
    .regex(/^tok_\w{1,60}$/)
    .describe('what the card form of the payment gateway gave the client'),
});

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{8,128}$/, 'expected 8 to 128 visible ASCII characters');

export const orderView = z.object({
  id,
  state: z.enum(['pending', 'paid', 'payment_failed', 'cancelled', 'refunded']),
  email: z.string(),
  currency: z.string(),
  total: amount,
  lines: z.array(line),
  createdAt: z.iso.datetime(),
  paymentId: id.optional(),
  reason: z.string().optional().describe('why the payment failed or who cancelled'),
  paidAt: z.iso.datetime().optional(),
  cancelledAt: z.iso.datetime().optional(),
  refundedAt: z.iso.datetime().optional(),
});

/** A payment as orders shows it: only these fields of what payments tells are read. */
export const paymentView = z.object({
  id,
  state: z.string().describe('charging, succeeded, failed, refunding or refunded'),
  amount,
  currency: z.string(),
  reason: z.string().optional().describe('why it failed, or why its refund was refused'),
  createdAt: z.iso.datetime(),
});

/** An order with what `expand` asked for. */
export const expandedOrderView = orderView.extend({
  payment: paymentView
    .nullable()
    .optional()
    .describe('with expand=payment: null when there is none yet or it is not known now'),
  degraded: z
    .array(z.enum(['payment']))
    .optional()
    .describe('what was asked for and could not be had now; ask again later'),
});

export const orderQuery = z.strictObject({
  expand: z.enum(['payment']).optional().describe('what else to tell, from other services'),
});

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: id.optional().describe('`next` of the page before'),
});

export const orderPage = z.object({
  items: z.array(orderView),
  next: id.optional().describe('give it as `after` for the next page; absent on the last one'),
});

export { id as idParameter };
export type DraftBody = z.infer<typeof draftBody>;
export type DraftView = z.infer<typeof draftView>;
export type ConfirmBody = z.infer<typeof confirmBody>;
export type PaymentView = z.infer<typeof paymentView>;
export type OrderView = z.infer<typeof orderView>;
export type ExpandedOrderView = z.infer<typeof expandedOrderView>;
export type OrderQuery = z.infer<typeof orderQuery>;
export type PageQuery = z.infer<typeof pageQuery>;

export function viewOf(order: Order): OrderView {
  const { customerId: _customer, draftId: _draft, createdAt, ...rest } = order;
  return { ...rest, createdAt: createdAt.toISOString() };
}
