import { claimMessage } from '@cairn/messaging';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Notification, Outcome } from './notification.ts';

/** The consumer name under which notifications remembers what it has handled. */
const CONSUMER = 'notifications';

/** `ours`: send it now. `settled`: done before. `elsewhere`: another process is at it. */
export type TakenUp = 'ours' | 'settled' | 'elsewhere';

export type NewNotification = Omit<Notification, 'id' | 'state' | 'sentAt' | 'reason'>;

type Row = {
  id: string;
  event_id: string;
  order_id: string;
  customer_id: string;
  template: Notification['template'];
  recipient: string;
  subject: string;
  message_id: string;
  state: Notification['state'];
  reason: string | null;
  created_at: Date;
  sent_at: Date | null;
};

export class NotificationsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Makes the notification of an event, or finds it, and takes it up for `leaseMs`. Two processes that have the same
   * event in hand don't both send it; one that dies while sending leaves it to the other after the lease.
   */
  async takeUp(notification: NewNotification, leaseMs: number): Promise<TakenUp> {
    const { eventId, orderId, customerId, template, recipient, subject, messageId, createdAt } = notification;
    const taken = await this.dataSource.query<unknown[]>(
      `INSERT INTO notification AS n
         (id, event_id, order_id, customer_id, template, recipient, subject, message_id, created_at, sending_until)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + make_interval(secs => $10))
       ON CONFLICT (event_id) DO UPDATE SET sending_until = excluded.sending_until
         WHERE n.state = 'pending' AND n.sending_until < clock_timestamp()
       RETURNING id`,
      [
        uuidv7(),
        eventId,
        orderId,
        customerId,
        template,
        recipient,
        subject,
        messageId,
        createdAt,
        leaseMs / 1000,
      ],
    );
    if (taken.length) return 'ours';
    const sql = 'SELECT state FROM notification WHERE event_id = $1';
    const [row] = await this.dataSource.query<Pick<Row, 'state'>[]>(sql, [eventId]);
    return row!.state === 'pending' ? 'elsewhere' : 'settled';
  }

  /** Records how it ended, together with the message that is handled by it. */
  async settle(eventId: string, outcome: Outcome, now: Date): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      if (!(await claimMessage(tx, CONSUMER, eventId))) return;
      await tx.query(
        `UPDATE notification SET state = $2, sent_at = $3, reason = $4 WHERE event_id = $1 AND state = 'pending'`,
        outcome.delivered ? [eventId, 'sent', now, null] : [eventId, 'failed', null, outcome.reason],
      );
    });
  }

  /** Gives it back at once, so that the next attempt need not wait for the lease to end. */
  async putBack(eventId: string): Promise<void> {
    const sql = `UPDATE notification SET sending_until = '-infinity' WHERE event_id = $1 AND state = 'pending'`;
    await this.dataSource.query(sql, [eventId]);
  }

  /** What a customer was told about an order, oldest first. */
  async ofOrder(customerId: string, orderId: string): Promise<Notification[]> {
    const sql = 'SELECT * FROM notification WHERE customer_id = $1 AND order_id = $2 ORDER BY id';
    return (await this.dataSource.query<Row[]>(sql, [customerId, orderId])).map(notificationOf);
  }
}

function notificationOf(row: Row): Notification {
  const { id, template, recipient, subject, state } = row;
  return {
    id,
    eventId: row.event_id,
    orderId: row.order_id,
    customerId: row.customer_id,
    template,
    recipient,
    subject,
    messageId: row.message_id,
    state,
    createdAt: row.created_at,
    ...(row.sent_at && { sentAt: row.sent_at }),
    ...(row.reason !== null && { reason: row.reason }),
  };
}
