import { z } from 'zod';
import type { Notification } from './notification.ts';

/** One schema per request and reply: it validates, and the OpenAPI document is made from it. */
export const listQuery = z.strictObject({ orderId: z.uuid() });

export const notificationView = z.object({
  id: z.uuid(),
  orderId: z.uuid(),
  template: z.enum(['receipt', 'payment_failed', 'order_cancelled', 'order_refunded']),
  recipient: z.string(),
  subject: z.string(),
  messageId: z.string().describe('the Message-ID header of the e-mail'),
  state: z.enum(['pending', 'sent', 'failed']),
  createdAt: z.iso.datetime(),
  sentAt: z.iso.datetime().optional(),
  reason: z.string().optional().describe("why the recipient's server refused it"),
});

export const notificationList = z.object({ items: z.array(notificationView) });

export type ListQuery = z.infer<typeof listQuery>;
export type NotificationView = z.infer<typeof notificationView>;
export type NotificationList = z.infer<typeof notificationList>;

export function viewOf(notification: Notification): NotificationView {
  const { customerId: _customer, eventId: _event, createdAt, sentAt, ...rest } = notification;
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    ...(sentAt && { sentAt: sentAt.toISOString() }),
  };
}
