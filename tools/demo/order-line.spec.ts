import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseLines } from './order-line.ts';

const good = {
  customer: 'ada',
  cardToken: 'tok_visa',
  email: 'ada@example.com',
  currency: 'EUR',
  lines: [{ sku: 'A', name: 'A', quantity: 1, unitPrice: 1 }],
};

describe('parseLines', () => {
  it('reads orders, passes over empty lines, and reports malformed ones with their number', () => {
    const text = [JSON.stringify(good), '', '{"customer":', JSON.stringify({ ...good, card: 'x' })].join(
      '\n',
    );
    expect(parseLines(text)).toMatchObject([
      { number: 1, customer: 'ada', cancel: false, draft: { currency: 'EUR' } },
      { number: 3, reason: expect.stringContaining('not JSON') },
      { number: 4, reason: expect.stringContaining('card') },
    ]);
  });

  it('finds 200 lines in the sample, two of them malformed, with declines, a cancel and several currencies', () => {
    const lines = parseLines(readFileSync(new URL('orders.jsonl', import.meta.url), 'utf8'));
    const orders = lines.filter((line) => 'draft' in line);
    expect(lines).toHaveLength(200);
    expect(lines.length - orders.length).toBe(2);
    expect(new Set(orders.map(({ draft }) => draft.currency)).size).toBeGreaterThan(3);
    expect(orders.some(({ cancel }) => cancel)).toBe(true);
    expect(orders.some(({ cardToken }) => cardToken === 'tok_insufficientFunds')).toBe(true);
  });
});
