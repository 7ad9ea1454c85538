import { currentContext } from '@cairn/logging';
import { createEvent, outboxRow, type OutboxRow } from '@cairn/messaging';
import { traceparent } from '@cairn/telemetry';
import { FilesStore } from './files.store.ts';
import { followUpId } from './follow-up.ts';
import { receiptKey, receiptOf, type PaidOrder } from './receipt.ts';
import { RenderPool } from './render.pool.ts';
import { reportKey, salesReport, type SalesDay } from './sales-report.ts';

export const RECEIPTS_TOPIC = 'receipts';

/** The longest that S3 signs a link for. */
const LINK_TTL_S = 7 * 24 * 3600;

/**
 * The use cases. The worker has no database, hence no outbox and no inbox: every step gives the same result when it is
 * done again. The offset is committed after the last one, so a crash anywhere means that all of it is done again.
 */
export class ReceiptsService {
  constructor(
    private readonly renderer: Pick<RenderPool, 'render'>,
    private readonly files: FilesStore,
    private readonly publish: (rows: OutboxRow[]) => Promise<void>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Renders the receipt, stores it and announces it. A double of the announcement has the id of the first one. */
  async storeReceipt(messageId: string, order: PaidOrder, signal?: AbortSignal): Promise<void> {
    const pdf = await this.renderer.render(receiptOf(order));
    const key = receiptKey(order);
    const { sizeBytes } = await this.files.putOnce(key, pdf, 'application/pdf', signal);
    await this.#announce(messageId, order, { key, sizeBytes });
  }

  /** Stores the report of a day, once: what was reported is not changed afterwards. */
  async storeSalesReport(day: SalesDay, signal?: AbortSignal): Promise<void> {
    await this.files.putOnce(reportKey(day), Buffer.from(salesReport(day)), 'application/json', signal);
  }

  async #announce(messageId: string, order: PaidOrder, file: { key: string; sizeBytes: number }) {
    const { orderId, customerId, email, currency, total } = order;
    const now = this.now();
    const url = await this.files.link(file.key, LINK_TTL_S, now);
    const urlExpiresAt = new Date(now.getTime() + LINK_TTL_S * 1000).toISOString();
    const type = 'receipt.stored.v1';
    const event = createEvent({
      id: followUpId(type, messageId),
      type,
      source: '/worker',
      subject: orderId,
      data: { orderId, customerId, email, currency, total, ...file, url, urlExpiresAt },
      time: now,
      context: { ...currentContext(), traceparent: traceparent() },
    });
    await this.publish([outboxRow(RECEIPTS_TOPIC, event)]).catch((cause: unknown) => {
      throw new PublishError(type, cause);
    });
  }
}

/** The broker did not acknowledge. In a service the outbox would keep the event; here the message in hand does. */
export class PublishError extends Error {
  readonly code = 'publish_failed';
  readonly transient = true;
  constructor(type: string, cause: unknown) {
    super(`${type} was not published`, { cause });
    this.name = 'PublishError';
  }
}
