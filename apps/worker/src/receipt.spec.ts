import { describe, expect, it } from '@jest/globals';
import { money, receiptKey, receiptOf, type PaidOrder } from './receipt.ts';
import { reportKey, salesReport } from './sales-report.ts';

const order: PaidOrder = {
  orderId: '0194f0a0-0000-7000-8000-000000000001',
  customerId: 'alice',
  email: 'alice@example.com',
  currency: 'EUR',
  total: 2100,
  lines: [
    { name: 'Mountain tea', quantity: 2, unitPrice: 450 },
    { name: 'Enamel mug', quantity: 1, unitPrice: 1200 },
  ],
  paidAt: '2026-11-21T12:00:05.000Z',
};
const nameOf = (name: string) =>
  receiptOf({ ...order, lines: [{ name, quantity: 1, unitPrice: 1 }] }).lines[0]!.name;

describe('a receipt', () => {
  it('shows each line with its amount, the total, the order and the day', () => {
    expect(receiptOf(order)).toEqual({
      orderId: order.orderId,
      paidAt: order.paidAt,
      date: '2026-11-21 (UTC)',
      lines: [
        { name: 'Mountain tea', quantity: '2', unitPrice: 'EUR 4.50', amount: 'EUR 9.00' },
        { name: 'Enamel mug', quantity: '1', unitPrice: 'EUR 12.00', amount: 'EUR 12.00' },
      ],
      total: 'EUR 21.00',
    });
  });

  it.each([
    [5400, 'JPY', 'JPY 5,400'],
    [1234, 'KWD', 'KWD 1.234'],
    [1, 'USD', 'USD 0.01'],
    [Number.MAX_SAFE_INTEGER, 'EUR', 'EUR 90,071,992,547,409.91'],
  ])('writes %d minor units of %s as %s', (amount, currency, text) => {
    expect(money(amount, currency)).toBe(text);
  });

  it('belongs to the day in UTC on which it was paid', () => {
    const paidAt = '2026-12-31T23:30:00.000-02:00';
    expect(receiptKey({ ...order, paidAt })).toBe(`receipts/2027/01/01/${order.orderId}.pdf`);
    expect(receiptOf({ ...order, paidAt }).date).toBe('2027-01-01 (UTC)');
  });

  it('marks the letters that its font lacks, and keeps names on their line', () => {
    expect(nameOf('Café “Zoë” – 5 €')).toBe('Café “Zoë” – 5 €');
    expect(nameOf('茶 🍵\r\ntea\u0000')).toBe('? ? tea ');
  });
});

describe('a sales report', () => {
  it('has the exact amount to calculate with and a text to read', () => {
    const day = { date: '2026-11-20', totals: [{ currency: 'JPY', orders: 1, total: 5400 }] };
    expect(JSON.parse(salesReport(day))).toEqual({
      date: '2026-11-20',
      totals: [{ currency: 'JPY', orders: 1, total: 5400, amount: 'JPY 5,400' }],
    });
    expect(reportKey(day)).toBe('reports/sales/2026-11-20.json');
  });
});
