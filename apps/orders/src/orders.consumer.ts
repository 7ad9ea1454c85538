import { forgetOldMessages, reads, type Handlers } from '@cairn/messaging';

import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Config } from './config.ts';
import { OrdersRepository } from './orders.repository.ts';
import { OrdersService } from './orders.service.ts';

// Only the fields that orders reads.
const payment = z.object({ orderId: z.uuid(), paymentId: z.uuid() });
const failedPayment = payment.extend({ reason: z.string() });
const dueJob = z.object({ job: z.string(), tick: z.iso.datetime() });

/** Events in. */
export class OrdersConsumer {
  constructor(
    private readonly orders: OrdersService,
    private readonly repository: OrdersRepository,
    private readonly dataSource: DataSource,
    private readonly settings: Pick<Config, 'INBOX_KEEP_DAYS' | 'IDEMPOTENCY_KEEP_DAYS'>,
  ) {}

  readonly handlers: Handlers = {
    payments: {
      'payment.succeeded.v1': reads(payment, (data, { id }) => this.orders.paymentSucceeded(id, data)),
      'payment.failed.v1': reads(failedPayment, (data, { id }) => this.orders.paymentFailed(id, data)),
      'payment.refunded.v1': reads(payment, (data, { id }) => this.orders.paymentRefunded(id, data)),
    },
    jobs: { 'job.due.v1': reads(dueJob, ({ job, tick }, { id }) => this.#run(job, tick, id)) },
  };

  /** Jobs of other services come along on the same topic and are passed over. */
  async #run(job: string, tick: string, messageId: string): Promise<void> {
    if (job === 'expire-unpaid-orders') await this.orders.expireUnpaid();
    if (job === 'clean-up') await this.cleanUp();
    if (job === 'close-sales-day') {
      const yesterday = new Date(Date.parse(tick) - 86_400_000).toISOString().slice(0, 10);
      await this.repository.closeSalesDay(yesterday, { now: new Date(), messageId });
    }
  }

  /** Forgets replies and messages past their time. */
  async cleanUp(): Promise<{ replies: number; messages: number }> {
    return {
      replies: await this.repository.forgetReplies(this.settings.IDEMPOTENCY_KEEP_DAYS),
      messages: await forgetOldMessages(this.dataSource, this.settings.INBOX_KEEP_DAYS),
    };
  }
}
