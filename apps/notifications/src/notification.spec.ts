import { describe, expect, it } from '@jest/globals';
import * as letters from './notification.ts';

const order = { orderId: '0194f0a0-0000-7000-8000-0123456789ab', currency: 'EUR', total: 2100 };
const link = { url: 'https://files.example.com/r.pdf?a=1&b=2', urlExpiresAt: '2026-11-28T12:00:06.000Z' };

describe('a letter', () => {
  it('brings the receipt as a link, with the total and how long the link works', () => {
    const { template, subject, text, html } = letters.receiptLetter({ ...order, ...link });
    expect({ template, subject }).toEqual({
      template: 'receipt',
      subject: 'Your receipt for order 0123456789ab',
    });
    expect(text).toContain('We received €21.00 for order 0194f0a0-0000-7000-8000-0123456789ab.');
    expect(text).toContain(`Your receipt: ${link.url}\n`);
    expect(text).toContain('works until 2026-11-28 (UTC)');
    expect(html).toContain('<a href="https://files.example.com/r.pdf?a=1&#38;b=2">');
  });

  it.each([
    ['insufficient_funds', 'there was not enough money on the card'],
    ['expired_card', 'the card has expired'],
    ['fraudulent', 'your bank declined the payment'],
    ['constructor', 'your bank declined the payment'],
  ])('says of a payment that failed for %s: %s', (reason, words) => {
    const { subject, text } = letters.paymentFailedLetter({ ...order, reason });
    expect(subject).toBe('Your payment did not go through');
    expect(text).toContain(words);
  });

  it.each([
    ['customer', 'as you asked us to'],
    ['expired', 'because it was not paid in time'],
  ])('says of an order cancelled for reason %s: %s', (reason, words) => {
    const { subject, text } = letters.cancelledLetter({ ...order, reason });
    expect(subject).toBe('Your order was cancelled');
    expect(text).toContain(words);
  });

  it('announces a refund', () => {
    const { subject, text } = letters.refundedLetter({ ...order, currency: 'JPY', total: 5400 });
    expect(subject).toBe('Your refund is on its way');
    expect(text).toContain('¥5,400');
  });

  it('lets nothing from outside become markup or another header', () => {
    const evil = '"><script>\r\nBcc: eve@example.com';
    const { subject, html } = letters.receiptLetter({ ...order, ...link, orderId: evil, url: evil });
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('"><');
    expect(subject).not.toMatch(/[\r\n]/);
  });
});

describe('a Message-ID', () => {
  it.each(['Cairn <orders@cairn.example>', 'orders@cairn.example'])('takes its domain from %s', (from) => {
    expect(letters.messageIdOf('e1', from)).toBe('<e1@cairn.example>');
  });

  it('is one header whatever the event is called', () => {
    expect(letters.messageIdOf('e1>\r\nBcc: eve', 'a@b.example')).toBe('<e1%3E%0D%0ABcc%3A%20eve@b.example>');
  });
});

describe('money', () => {
  it.each([
    [1234, 'KWD', 'KWD 1.234'],
    [1, 'USD', '$0.01'],
    [Number.MAX_SAFE_INTEGER, 'EUR', '€90,071,992,547,409.91'],
  ])('%d minor units of %s are %s', (total, currency, text) => {
    expect(letters.money({ total, currency })).toBe(text);
  });
});
