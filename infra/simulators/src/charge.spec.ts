import { describe, expect, it } from '@jest/globals';
import { cards, chargeRequestSchema, decideCharge, decideRefund } from './charge.ts';
import { parse } from './problem.ts';

const now = new Date('2026-11-21T10:00:00Z');
const request = { amount: 1999, currency: 'EUR', cardToken: 'tok_visa', reference: 'order-1' };
const at = { id: 'ch_1', now, forceDecline: false };

describe('a charge', () => {
  it.each(Object.entries(cards))('of %s comes to %s', (cardToken, outcome) => {
    const charge = decideCharge({ ...request, cardToken }, at);
    expect(charge.status === 'declined' ? charge.declineCode : charge.status).toBe(outcome);
    expect(charge).toMatchObject({
      id: 'ch_1',
      amount: 1999,
      currency: 'EUR',
      refundedAmount: 0,
      reference: 'order-1',
    });
  });

  it('of an unknown card token is no charge at all', () => {
    expect(() => decideCharge({ ...request, cardToken: 'tok_nope' }, at)).toThrow('No test card tok_nope');
    expect(() => decideCharge({ ...request, cardToken: 'toString' }, at)).toThrow('No test card toString');
  });

  it('declines a good card when the fault says so, and keeps the reason of a bad one', () => {
    const forced = { ...at, forceDecline: true };
    expect(decideCharge(request, forced)).toMatchObject({
      status: 'declined',
      declineCode: 'generic_decline',
    });
    const expired = decideCharge({ ...request, cardToken: 'tok_expiredCard' }, forced);
    expect(expired).toMatchObject({ declineCode: 'expired_card' });
  });

  it.each([
    ['amount', { amount: 0 }],
    ['amount', { amount: -1 }],
    ['amount', { amount: 1.5 }],
    ['amount', { amount: '100' }],
    ['amount', { amount: 1_000_000_000_000 }],
    ['currency', { currency: 'eur' }],
    ['currency', { currency: 'EUX' }],
    ['cardToken', { cardToken: undefined }],
    ['tip', { tip: 5 }],
  ])('names %s when it does not fit: %j', (field, change) => {
    expect(() => parse(chargeRequestSchema, { ...request, ...change })).toThrow(
      expect.objectContaining({ code: 'invalid_request', errors: [expect.objectContaining({ field })] }),
    );
  });
});

describe('a refund', () => {
  const charge = decideCharge(request, at);
  const re = { id: 're_1', now };

  it('takes all that is left when no amount is named', () => {
    expect(decideRefund({ ...charge, refundedAmount: 999 }, { chargeId: 'ch_1' }, re)).toMatchObject({
      amount: 1000,
    });
  });

  it('may take the last cent but not one more', () => {
    const left = { ...charge, refundedAmount: 999 };
    expect(decideRefund(left, { chargeId: 'ch_1', amount: 1000 }, re)).toMatchObject({ amount: 1000 });
    expect(() => decideRefund(left, { chargeId: 'ch_1', amount: 1001 }, re)).toThrow('1000 EUR is left');
    expect(() => decideRefund({ ...charge, refundedAmount: 1999 }, { chargeId: 'ch_1' }, re)).toThrow(
      '0 EUR is left',
    );
  });

  it('of a declined charge is refused', () => {
    const declined = decideCharge({ ...request, cardToken: 'tok_lostCard' }, at);
    expect(() => decideRefund(declined, { chargeId: 'ch_1' }, re)).toThrow('declined charge');
  });
});
