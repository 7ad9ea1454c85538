import { reads, type Handlers } from '@cairn/messaging';
import { z } from 'zod';
import { ReceiptsService } from './receipts.service.ts';

// Only the fields that the worker reads. Ids and dates become keys in the bucket, so their form matters.
const currency = z.string().regex(/^[A-Z]{3}$/);
const amount = z.number().int();
export const paidOrder = z.object({
  orderId: z.uuid(),
  customerId: z.string(),
  email: z.string(),
  currency,
  total: amount,
  lines: z.array(z.object({ name: z.string(), quantity: amount, unitPrice: amount })),
  paidAt: z.iso.datetime(),
});
export const salesDay = z.object({
  date: z.iso.date(),
  totals: z.array(z.object({ currency, orders: amount, total: amount })),
});

/** Events in. */
export class ReceiptsConsumer {
  constructor(private readonly receipts: ReceiptsService) {}

  readonly handlers: Handlers = {
    orders: {
      'order.paid.v1': reads(paidOrder, (order, { id }, { signal }) =>
        this.receipts.storeReceipt(id, order, signal),
      ),
      'sales.day_closed.v1': reads(salesDay, (day, _, { signal }) =>
        this.receipts.storeSalesReport(day, signal),
      ),
    },
  };
}
