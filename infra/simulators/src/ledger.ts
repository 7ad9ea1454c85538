import type { Charge, Refund } from './charge.ts';

/** Sums in minor units per currency. */
export type Sums = Record<string, number>;

export type Ledger = {
  charges: number;
  declined: number;
  refunds: number;
  captured: Sums;
  refunded: Sums;
  net: Sums;
};

/** Which charges count. A refund counts with its charge, so `net` never falls below zero. */
export type LedgerFilter = { references?: ReadonlySet<string>; since?: Date };

/** `charges` counts all attempts that were decided, `declined` those of them that took no money. */
export function summarise(
  charges: Iterable<Charge>,
  refunds: Iterable<Refund>,
  filter: LedgerFilter = {},
): Ledger {
  const ledger: Ledger = { charges: 0, declined: 0, refunds: 0, captured: {}, refunded: {}, net: {} };
  const counted = new Set<string>();
  for (const charge of charges) {
    if (!matches(charge, filter)) continue;
    counted.add(charge.id);
    ledger.charges += 1;
    if (charge.status === 'declined') {
      ledger.declined += 1;
      continue;
    }
    add(ledger.captured, charge.currency, charge.amount);
    add(ledger.refunded, charge.currency, 0);
    add(ledger.net, charge.currency, charge.amount);
  }
  for (const refund of refunds) {
    if (!counted.has(refund.chargeId)) continue;
    ledger.refunds += 1;
    add(ledger.refunded, refund.currency, refund.amount);
    add(ledger.net, refund.currency, -refund.amount);
  }
  return ledger;
}

function matches(charge: Charge, { references, since }: LedgerFilter): boolean {
  if (references && !(charge.reference !== null && references.has(charge.reference))) return false;
  return since === undefined || charge.createdAt >= since.toISOString();
}

function add(sums: Sums, currency: string, amount: number): void {
  const sum = (sums[currency] ?? 0) + amount;
  // A sum that is off by a cent without saying so would be worse than none.
  if (!Number.isSafeInteger(sum))
    throw new RangeError(`The sum of ${currency} is over the safe integer range`);
  sums[currency] = sum;
}
