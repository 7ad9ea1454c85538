import { finishedJob } from '@cairn/boot';
import { z } from 'zod';

/** What orders sends, by topic and type: `contracts/orders.asyncapi.json` is made from it. Fields may be added, never taken away. */

const amount = z.number().int().describe("in the currency's minor unit");
const currency = z.string().regex(/^[A-Z]{3}$/);

/** What every event about an order says. */
const facts = z.object({
  orderId: z.uuid(),
  customerId: z.string(),
  email: z.email(),
  currency,
  total: amount,
  lines: z.array(
    z.object({
      sku: z.string(),
      name: z.string(),
      quantity: z.number().int(),
      unitPrice: amount,
    }),
  ),
});

const salesDay = z.object({
  date: z.iso.date(),
  totals: z.array(z.object({ currency, orders: z.number().int(), total: amount })),
});

export const SENDS = {
  orders: {
    'order.confirmed.v1': facts.extend({ cardToken: z.string() }),
    'order.paid.v1': facts.extend({ paymentId: z.uuid(), paidAt: z.iso.datetime() }),
    'order.payment_failed.v1': facts.extend({ reason: z.string() }),
    'order.cancelled.v1': facts.extend({ reason: z.enum(['customer', 'expired']) }),
    'order.refunded.v1': facts.extend({ paymentId: z.uuid() }),
    'sales.day_closed.v1': salesDay,
  },
  'job-reports': { 'job.finished.v1': finishedJob },
};
