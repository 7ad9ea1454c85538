import { uuidOf } from '../random.ts';

export type Line = { sku: string; name: string; quantity: number; unitPrice: number };

/** What one customer is going to do, decided before anything runs. */
export type Journey = {
  id: string;
  /** When it begins, in ms since the load began. */
  atMs: number;
  customer: string;
  draftId: string;
  /** One Idempotency-Key for one intended order, however often it is sent. */
  key: string;
  email: string;
  currency: string;
  lines: Line[];
  /** Minor units. */
  total: number;
  cardToken: string;
  cardIsGood: boolean;
  /** Sends the confirmation twice at the same moment, as an impatient finger does. */
  twice: boolean;
  /** Cancels the order that many ms after it was answered: before, while or after it is charged. */
  cancelAfterMs?: number;
};

export type PlanOptions = {
  random: () => number;
  /** Names the customers and keys of this run. */
  prefix: string;
  orders: number;
  /** All of them begin within this time, in s. */
  seconds: number;
  customers: number;
};

const SHARE = { declined: 0.08, cancelled: 0.1, twice: 0.08 };
const CURRENCIES = ['EUR', 'EUR', 'USD', 'JPY', 'KWD'];
const GOOD = ['tok_visa', 'tok_mastercard', 'tok_amex'];
const BAD = ['tok_chargeDeclined', 'tok_insufficientFunds', 'tok_expiredCard'];
const LONGEST_WAIT_MS = 3000;

/**
 * Exactly as many journeys as asked for, at moments that know nothing of each other: an open loop, in which a slow
 * service meets the same load as a fast one.
 */
export function journeysOf({ random, prefix, orders, seconds, customers }: PlanOptions): Journey[] {
  const moments = Array.from({ length: orders }, () => random() * seconds * 1000).sort((a, b) => a - b);
  return moments.map((moment, i) => {
    const id = `${prefix}-${String(i + 1).padStart(5, '0')}`;
    const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
    const customer = `${prefix}-customer-${1 + Math.floor(random() * customers)}`;
    const currency = pick(CURRENCIES);
    const lines = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, n) => lineOf(n, random));
    const cardIsGood = random() >= SHARE.declined;
    const cancels = random() < SHARE.cancelled;
    const waitMs = Math.round(random() * LONGEST_WAIT_MS);
    return {
      ...{ id, atMs: Math.round(moment), customer, currency, lines, cardIsGood },
      draftId: uuidOf(random),
      key: `${id}-key`,
      email: `${customer}@example.com`,
      total: lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0),
      cardToken: pick(cardIsGood ? GOOD : BAD),
      twice: random() < SHARE.twice,
      ...(cardIsGood && cancels && { cancelAfterMs: waitMs }),
    };
  });
}

function lineOf(n: number, random: () => number): Line {
  const quantity = 1 + Math.floor(random() * 4);
  return {
    sku: `TEA-${n + 1}`,
    name: `Mountain tea ${n + 1}`,
    quantity,
    unitPrice: 1 + Math.floor(random() * 9999),
  };
}
