import { finishedJob } from '@cairn/boot';
import { z } from 'zod';

/** What payments sends, by topic and type: `contracts/payments.asyncapi.json` is made from it. Fields may be added, never taken away. */

/** What every event about a payment says. */
const facts = z.object({
  paymentId: z.uuid(),
  orderId: z.uuid(),
  amount: z.number().int().describe("in the currency's minor unit"),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

export const SENDS = {
  payments: {
    'payment.succeeded.v1': facts,
    'payment.failed.v1': facts.extend({ reason: z.string() }),
    'payment.refunded.v1': facts,
  },
  'job-reports': { 'job.finished.v1': finishedJob },
};
