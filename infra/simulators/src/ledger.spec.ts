import { describe, expect, it } from '@jest/globals';
import type { Charge, Refund } from './charge.ts';
import { summarise } from './ledger.ts';

const charge = (id: string, change: Partial<Charge> = {}): Charge =>
  ({
    id,
    status: 'succeeded',
    amount: 1000,
    currency: 'EUR',
    refundedAmount: 0,
    reference: `order-${id}`,
    metadata: {},
    createdAt: '2026-11-21T10:00:00.000Z',
    ...change,
  }) as Charge;
const refund = (chargeId: string, amount: number, currency = 'EUR'): Refund => ({
  id: `re-${chargeId}`,
  chargeId,
  amount,
  currency,
  status: 'succeeded',
  createdAt: '2026-11-21T12:00:00.000Z',
});

const charges = [
  charge('1'),
  charge('2', { amount: 1 }),
  charge('3', { currency: 'JPY', amount: 500 }),
  charge('4', { status: 'declined', declineCode: 'expired_card' }),
  charge('5', { reference: null, createdAt: '2026-11-21T11:00:00.000Z' }),
];
const refunds = [refund('1', 400), refund('3', 500, 'JPY')];

describe('the ledger', () => {
  it('sums captures and refunds to the cent, each currency by itself, and no declined charge', () => {
    expect(summarise(charges, refunds)).toEqual({
      charges: 5,
      declined: 1,
      refunds: 2,
      captured: { EUR: 2001, JPY: 500 },
      refunded: { EUR: 400, JPY: 500 },
      net: { EUR: 1601, JPY: 0 },
    });
  });

  it('counts only the references asked for, with their refunds', () => {
    const references = new Set(['order-3', 'order-4', 'order-unknown']);
    expect(summarise(charges, refunds, { references })).toMatchObject({
      charges: 2,
      declined: 1,
      net: { JPY: 0 },
    });
    expect(summarise(charges, refunds, { references: new Set() })).toMatchObject({
      charges: 0,
      refunds: 0,
      net: {},
    });
  });

  it('counts only what was charged since then; a refund goes with its charge', () => {
    const since = new Date('2026-11-21T12:00:00+01:00');
    expect(summarise(charges, refunds, { since })).toMatchObject({
      charges: 1,
      refunds: 0,
      net: { EUR: 1000 },
    });
  });

  it('would rather fail than be off by a cent', () => {
    const huge = [charge('1', { amount: Number.MAX_SAFE_INTEGER }), charge('2', { amount: 1 })];
    expect(() => summarise(huge, [])).toThrow('safe integer range');
  });
});
