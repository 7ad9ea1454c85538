import { doesJobs, dueJob, type ReportJob } from '@cairn/boot';
import { forgetOldMessages, reads, type Handlers, type Queryable } from '@cairn/messaging';
import { z } from 'zod';
import type { PaymentsService } from './payments.service.ts';
import type { ReconciliationService } from './reconciliation.service.ts';
import { totals } from './reconciliation.ts';

// Only the fields that payments reads.
export const toldOrder = z.object({ orderId: z.uuid() });
export const cancelledOrder = toldOrder.extend({
  customerId: z.string(),
  total: z.number().int().min(1),
  currency: z.string(),
});
export const confirmedOrder = cancelledOrder.extend({ cardToken: z.string() });

/** Events in. */
export class PaymentsConsumer {
  constructor(
    private readonly payments: PaymentsService,
    private readonly reconciliation: Pick<ReconciliationService, 'run'>,
    private readonly inbox: { db: Queryable; keepDays: number },
    private readonly report: ReportJob,
  ) {}

  readonly handlers: Handlers = {
    orders: {
      'order.confirmed.v1': reads(confirmedOrder, (order, { id }, { signal }) =>
        this.payments.pay(id, order, signal),
      ),
      'order.cancelled.v1': reads(cancelledOrder, (order, _, { signal }) =>
        this.payments.giveBack(order, signal),
      ),
      'order.paid.v1': reads(toldOrder, ({ orderId }) => this.payments.noteOrder(orderId, 'paid')),
      'order.payment_failed.v1': reads(toldOrder, ({ orderId }) =>
        this.payments.noteOrder(orderId, 'payment_failed'),
      ),
      'order.refunded.v1': reads(toldOrder, ({ orderId }) => this.payments.noteOrder(orderId, 'refunded')),
    },
    jobs: {
      'job.due.v1': reads(
        dueJob,
        doesJobs((...how) => this.report(...how), {
          'reconcile-payments': async ({ signal }) => totals(await this.reconciliation.run({ signal })),
          'clean-up': async () => ({ messages: await this.cleanUp() }),
        }),
      ),
    },
  };

  /** Forgets messages past their time. */
  cleanUp(): Promise<number> {
    return forgetOldMessages(this.inbox.db, this.inbox.keepDays);
  }
}
