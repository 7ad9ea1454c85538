import { doesJobs, dueJob, type ReportJob } from '@cairn/boot';
import { forgetOldMessages, reads, type Handlers } from '@cairn/messaging';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Config } from './config.ts';
import type { PaymentsService } from './payments.service.ts';

// Only the fields that payments reads.
export const cancelledOrder = z.object({
  orderId: z.uuid(),
  customerId: z.string(),
  total: z.number().int().min(1),
  currency: z.string(),
});
export const confirmedOrder = cancelledOrder.extend({ cardToken: z.string() });

/** Events in. */
export class PaymentsConsumer {
  constructor(
    private readonly payments: PaymentsService,
    private readonly dataSource: DataSource,
    private readonly settings: Pick<Config, 'INBOX_KEEP_DAYS'>,
    private readonly report: ReportJob,
  ) {}

  readonly handlers: Handlers = {
    orders: {
      'order.confirmed.v1': reads(confirmedOrder, (order, { id }, { signal }) =>
        this.payments.pay(id, order, signal),
      ),
      'order.cancelled.v1': reads(cancelledOrder, (order, { id }, { signal }) =>
        this.payments.giveBack(id, order, signal),
      ),
    },
    jobs: {
      'job.due.v1': reads(
        dueJob,
        doesJobs((...how) => this.report(...how), {
          'reconcile-payments': async ({ signal }) => ({ settled: await this.payments.reconcile(signal) }),
          'clean-up': async () => ({ messages: await this.cleanUp() }),
        }),
      ),
    },
  };

  /** Forgets messages past their time. */
  cleanUp(): Promise<number> {
    return forgetOldMessages(this.dataSource, this.settings.INBOX_KEEP_DAYS);
  }
}
