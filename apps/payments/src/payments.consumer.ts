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
export const dueJob = z.object({ job: z.string() });

/** Events in. */
export class PaymentsConsumer {
  constructor(
    private readonly payments: PaymentsService,
    private readonly dataSource: DataSource,
    private readonly settings: Pick<Config, 'INBOX_KEEP_DAYS'>,
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
    jobs: { 'job.due.v1': reads(dueJob, ({ job }, _, { signal }) => this.#run(job, signal)) },
  };

  /** Jobs of other services come along on the same topic and are passed over. */
  async #run(job: string, signal: AbortSignal): Promise<void> {
    if (job === 'reconcile-payments') await this.payments.reconcile(signal);
    if (job === 'clean-up') await this.cleanUp();
  }

  /** Forgets messages past their time. */
  cleanUp(): Promise<number> {
    return forgetOldMessages(this.dataSource, this.settings.INBOX_KEEP_DAYS);
  }
}
