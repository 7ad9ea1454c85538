import { currentContext } from '@cairn/logging';
import type { Client } from '@openfeature/server-sdk';
import type { Config } from './config.ts';
import { MailSender } from './mail.sender.ts';
import { messageIdOf, type Letter, type Outcome } from './notification.ts';
import { NotificationsRepository } from './notifications.repository.ts';
import { viewOf, type NotificationList } from './notifications.schemas.ts';

export type Recipient = { orderId: string; customerId: string; email: string };

/** Another process has this very event in hand, as happens after a rebalance. Soon it is settled, or given up. */
export class SendingElsewhereError extends Error {
  readonly code = 'sending_elsewhere';
  readonly transient = true;
}

/** A mail takes at most its time-out, and writing down what became of it a little more. Whoever dies keeps it from others for so long. */
const LEASE_FACTOR = 1.4;

/** The use cases, each read downward. */
export class NotificationsService {
  constructor(
    private readonly notifications: NotificationsRepository,
    private readonly mail: Pick<MailSender, 'send'>,
    private readonly flags: Pick<Client, 'getBooleanValue'>,
    private readonly settings: Pick<Config, 'MAIL_FROM' | 'SMTP_TIMEOUT_MS'>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /**
   * Sends the letter of an event, once. The mail server takes part in no transaction, so the mail goes out between
   * two: a crash between its "250" and ours makes it go out again, under the same Message-ID.
   */
  async notify(eventId: string, to: Recipient, letter: Letter): Promise<void> {
    const messageId = messageIdOf(eventId, this.settings.MAIL_FROM);
    const taken = await this.notifications.takeUp(
      {
        eventId,
        orderId: to.orderId,
        customerId: to.customerId,
        template: letter.template,
        recipient: to.email,
        subject: letter.subject,
        messageId,
        createdAt: this.now(),
      },
      this.settings.SMTP_TIMEOUT_MS * LEASE_FACTOR,
    );
    if (taken === 'settled') return;
    if (taken === 'elsewhere')
      throw new SendingElsewhereError(`${messageId} is being sent by another process`);
    const outcome = await this.#send(eventId, to, messageId, letter);
    await this.notifications.settle(eventId, outcome, this.now());
  }

  async list(customerId: string, orderId: string): Promise<NotificationList> {
    return { items: (await this.notifications.ofOrder(customerId, orderId)).map(viewOf) };
  }

  async #send(eventId: string, to: Recipient, messageId: string, letter: Letter): Promise<Outcome> {
    const { subject, text } = letter;
    const correlationId = currentContext()?.correlationId;
    try {
      // By customer: a mail that goes out again looks as it did the first time.
      const isHtml = await this.flags.getBooleanValue('html-mail', true, { targetingKey: to.customerId });
      const html = isHtml ? { html: letter.html } : {};
      return await this.mail.send({ to: to.email, subject, text, ...html, messageId, correlationId });
    } catch (error) {
      // If this fails too, the lease ends by itself.
      await this.notifications.putBack(eventId).catch(() => undefined);
      throw error;
    }
  }
}
