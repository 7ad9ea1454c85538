import { doesJobs, dueJob, type ReportJob } from '@cairn/boot';
import { forgetOldMessages, reads, type Handlers } from '@cairn/messaging';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Config } from './config.ts';
import { cancelledLetter, paymentFailedLetter, receiptLetter, refundedLetter } from './notification.ts';
import { NotificationsService } from './notifications.service.ts';

// Only the fields that notifications reads.
export const order = z.object({
  orderId: z.uuid(),
  customerId: z.string(),
  email: z.email(),
  currency: z.string().regex(/^[A-Z]{3}$/),
  total: z.number().int(),
});
export const orderWithReason = order.extend({ reason: z.string() });
export const receipt = order.extend({
  url: z.url({ protocol: /^https?$/ }),
  urlExpiresAt: z.iso.datetime(),
});

/** Events in. */
export class NotificationsConsumer {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly dataSource: DataSource,
    private readonly settings: Pick<Config, 'INBOX_KEEP_DAYS'>,
    private readonly report: ReportJob,
  ) {}

  readonly handlers: Handlers = {
    receipts: {
      'receipt.stored.v1': reads(receipt, (data, { id }) =>
        this.notifications.notify(id, data, receiptLetter(data)),
      ),
    },
    orders: {
      'order.payment_failed.v1': reads(orderWithReason, (data, { id }) =>
        this.notifications.notify(id, data, paymentFailedLetter(data)),
      ),
      'order.cancelled.v1': reads(orderWithReason, (data, { id }) =>
        this.notifications.notify(id, data, cancelledLetter(data)),
      ),
      'order.refunded.v1': reads(order, (data, { id }) =>
        this.notifications.notify(id, data, refundedLetter(data)),
      ),
    },
    jobs: {
      'job.due.v1': reads(
        dueJob,
        doesJobs((...how) => this.report(...how), {
          'clean-up': async () => ({ messages: await this.cleanUp() }),
        }),
      ),
    },
  };

  /** Forgets messages past their time. Returns how many. */
  cleanUp(): Promise<number> {
    return forgetOldMessages(this.dataSource, this.settings.INBOX_KEEP_DAYS);
  }
}
