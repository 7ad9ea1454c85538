import { doesJobs, dueJob, type JobRun, type ReportJob } from '@cairn/boot';
import { reads, type Handlers } from '@cairn/messaging';
import { z } from 'zod';
import type { Config } from './config.ts';
import { OrdersRepository } from './orders.repository.ts';
import { OrdersService } from './orders.service.ts';

// Only the fields that orders reads.
const payment = z.object({ orderId: z.uuid(), paymentId: z.uuid() });
const failedPayment = payment.extend({ reason: z.string() });

/** Events in. */
export class OrdersConsumer {
  constructor(
    private readonly orders: OrdersService,
    private readonly repository: OrdersRepository,
    private readonly settings: Pick<Config, 'INBOX_KEEP_DAYS' | 'IDEMPOTENCY_KEEP_DAYS'>,
    private readonly report: ReportJob,
  ) {}

  readonly handlers: Handlers = {
    payments: {
      'payment.succeeded.v1': reads(payment, (data, { id }) => this.orders.paymentSucceeded(id, data)),
      'payment.failed.v1': reads(failedPayment, (data, { id }) => this.orders.paymentFailed(id, data)),
      'payment.refunded.v1': reads(payment, (data, { id }) => this.orders.paymentRefunded(id, data)),
    },
    jobs: {
      'job.due.v1': reads(
        dueJob,
        doesJobs((...how) => this.report(...how), {
          'expire-unpaid-orders': async ({ tick }) => ({ expired: await this.orders.expireUnpaid(tick) }),
          'clean-up': () => this.cleanUp(),
          'close-sales-day': (run) => this.#closeSalesDay(run),
        }),
      ),
    },
  };

  async #closeSalesDay({ tick, messageId }: JobRun) {
    const date = new Date(tick.getTime() - 86_400_000).toISOString().slice(0, 10);
    await this.repository.closeSalesDay(date, { now: new Date(), messageId });
    return { date };
  }

  /** Forgets replies and messages past their time. */
  async cleanUp(): Promise<{ replies: number; messages: number }> {
    return {
      replies: await this.repository.forgetReplies(this.settings.IDEMPOTENCY_KEEP_DAYS),
      messages: await this.repository.forgetMessages(this.settings.INBOX_KEEP_DAYS),
    };
  }
}
