/**
 * What customers are told, and in which words. No framework, no I/O. Whatever comes from outside is text: it reaches
 * HTML escaped, and headers on one line.
 */
export type Template = 'receipt' | 'payment_failed' | 'order_cancelled' | 'order_refunded';

export type Letter = { template: Template; subject: string; text: string; html: string };

export type NotificationState = 'pending' | 'sent' | 'failed';

export type Notification = {
  id: string;
  /** The event that it follows from: one event, one notification. */
  eventId: string;
  orderId: string;
  customerId: string;
  template: Template;
  recipient: string;
  subject: string;
  messageId: string;
  state: NotificationState;
  createdAt: Date;
  sentAt?: Date;
  /** Why the recipient's server refused it. */
  reason?: string;
};

/** How an attempt to deliver ended, when it ended for good. */
export type Outcome = { delivered: true } | { delivered: false; reason: string };

type Order = { orderId: string; currency: string; total: number };

export function receiptLetter(order: Order & { url: string; urlExpiresAt: string }): Letter {
  const until = order.urlExpiresAt.slice(0, 10);
  return letter('receipt', `Your receipt for order ${shortId(order.orderId)}`, [
    `Thank you. We received ${money(order)} for order ${order.orderId}.`,
    { label: 'Your receipt', url: order.url },
    `The link works until ${until} (UTC).`,
  ]);
}

export function paymentFailedLetter(order: Order & { reason: string }): Letter {
  return letter('payment_failed', 'Your payment did not go through', [
    `We could not charge ${money(order)} for order ${order.orderId}: ${declineInWords(order.reason)}.`,
    'Nothing was charged. You can order again with another card.',
  ]);
}

export function cancelledLetter(order: Order & { reason: string }): Letter {
  const why = order.reason === 'expired' ? 'because it was not paid in time' : 'as you asked us to';
  return letter('order_cancelled', 'Your order was cancelled', [
    `We cancelled order ${order.orderId} over ${money(order)}, ${why}.`,
    'If it was paid already, the money goes back to your card.',
  ]);
}

export function refundedLetter(order: Order): Letter {
  return letter('order_refunded', 'Your refund is on its way', [
    `We gave ${money(order)} for order ${order.orderId} back to your card.`,
    'It can take your bank some days to show it.',
  ]);
}

/**
 * The same for every attempt to send it, so that a mail that arrives twice can be recognised as one (RFC 5322, 3.6.4).
 * `from` is an address, maybe with a name.
 */
export function messageIdOf(eventId: string, from: string): string {
  const domain = /@([\w.-]+)>?$/.exec(from)?.[1] ?? 'localhost';
  return `<${encodeURIComponent(eventId)}@${domain}>`;
}

/** `€21.00`, `¥5,400`, `KWD 1.234`: amounts are whole numbers of the currency's minor unit. */
export function money({ total, currency }: Pick<Order, 'total' | 'currency'>): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const { maximumFractionDigits: digits } = format.resolvedOptions();
  // As a decimal text it stays exact; divided it would be rounded to a double.
  return format.format(`${total}E-${digits}` as `${number}`).replace('\u00a0', ' ');
}

/** The end of a UUIDv7 is random; its beginning is the time, which orders of one minute share. */
function shortId(orderId: string): string {
  return orderId.slice(-12);
}

function declineInWords(reason: string): string {
  return DECLINES.get(reason) ?? 'your bank declined the payment';
}

// "Lost" and "fraudulent" stay between the bank and us: whoever tries a stolen card learns nothing from the e-mail.
const DECLINES = new Map([
  ['insufficient_funds', 'there was not enough money on the card'],
  ['expired_card', 'the card has expired'],
]);

type Paragraph = string | { label: string; url: string };

function letter(template: Template, subject: string, paragraphs: Paragraph[]): Letter {
  return {
    template,
    subject: oneLine(subject),
    text: `${paragraphs.map((p) => (typeof p === 'string' ? p : `${p.label}: ${p.url}`)).join('\n\n')}\n\nCairn\n`,
    html: `${paragraphs.map(htmlOf).join('\n')}\n<p>Cairn</p>\n`,
  };
}

function htmlOf(paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return `<p>${escaped(paragraph)}</p>`;
  return `<p><a href="${escaped(paragraph.url)}">${escaped(paragraph.label)}</a></p>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A line break in a header would begin another header. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
