import { z } from 'zod';

/** What the worker sends, by topic and type: `contracts/worker.asyncapi.json` is made from it. Fields may be added, never taken away. */

export const SENDS = {
  receipts: {
    'receipt.stored.v1': z.object({
      orderId: z.uuid(),
      customerId: z.string(),
      email: z.email(),
      currency: z.string().regex(/^[A-Z]{3}$/),
      total: z.number().int().describe("in the currency's minor unit"),
      key: z.string().describe('of the file in the bucket'),
      sizeBytes: z.number().int(),
      url: z.url({ protocol: /^https?$/ }),
      urlExpiresAt: z.iso.datetime(),
    }),
  },
};
