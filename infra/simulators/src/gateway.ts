import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { chargeSchema, decideCharge, decideRefund, refundSchema } from './charge.ts';
import type { Charge, ChargePage, ChargeRequest, Refund, RefundRequest } from './charge.ts';
import { fingerprint, IdempotencyKeys } from './idempotency.ts';
import { summarise } from './ledger.ts';
import type { Ledger, LedgerFilter } from './ledger.ts';
import { Problem } from './problem.ts';

const keyed = { key: z.string(), fingerprint: z.string() };

/** One thing that happened. The state is what the entries add up to, now and after a restart. */
export const entrySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('charge'), ...keyed, charge: chargeSchema }),
  z.strictObject({ type: z.literal('refund'), ...keyed, refund: refundSchema }),
  z.strictObject({ type: z.literal('reset') }),
]);

export type Entry = z.infer<typeof entrySchema>;
/** Keeps entries. Throws when it could not: then nothing has happened. */
export type Journal = { append(entry: Entry): void };
/** How the processor behaves for one call: it takes `pause()` long, and may decline a good card or refuse a refund. */
export type Conditions = { pause: () => Promise<void>; forceDecline?: boolean; refuseRefund?: boolean };
/** Which charges of the list: those made after a time, after the last one of the page before, and how many. */
export type ListFilter = { createdAfter?: Date; startingAfter?: string; limit: number };
type Once<Result> = Promise<{ result: Result; replayed: boolean }>;

/** The card processor: charges and refunds, each once per idempotency key. */
export class Gateway {
  readonly #journal: Journal;
  readonly #now: () => Date;
  readonly #charges = new Map<string, Charge>();
  /** Charge id → the idempotency key that it was made under. */
  readonly #keyOf = new Map<string, string>();
  readonly #refunds = new Map<string, Refund>();
  readonly #refundedAmounts = new Map<string, number>();
  readonly #chargeKeys = new IdempotencyKeys<Charge>();
  readonly #refundKeys = new IdempotencyKeys<Refund>();

  constructor({ journal, past = [], now = () => new Date() }: GatewayOptions) {
    this.#journal = journal;
    this.#now = now;
    for (const entry of past) {
      this.#apply(entry);
      if (entry.type === 'charge') this.#chargeKeys.restore(entry.key, entry.fingerprint, entry.charge);
      if (entry.type === 'refund') this.#refundKeys.restore(entry.key, entry.fingerprint, entry.refund);
    }
  }

  charge(key: string, request: ChargeRequest, { pause, forceDecline = false }: Conditions): Once<Charge> {
    const print = fingerprint(request);
    return this.#chargeKeys.run(key, print, async () => {
      await pause();
      const charge = decideCharge(request, { id: newId('ch'), now: this.#now(), forceDecline });
      this.#record({ type: 'charge', key, fingerprint: print, charge });
      return charge;
    });
  }

  refund(key: string, request: RefundRequest, { pause, refuseRefund }: Conditions): Once<Refund> {
    const print = fingerprint(request);
    return this.#refundKeys.run(key, print, async () => {
      await pause();
      if (refuseRefund) throw new Problem('refund_refused');
      const refund = decideRefund(this.findCharge(request.chargeId), request, {
        id: newId('re'),
        now: this.#now(),
      });
      this.#record({ type: 'refund', key, fingerprint: print, refund });
      return refund;
    });
  }

  /** The charge as it stands now, with what was refunded of it. */
  findCharge(id: string): Charge {
    const charge = this.#charges.get(id);
    if (!charge) throw new Problem('charge_not_found', `No charge ${id}`);
    return { ...charge, refundedAmount: this.#refundedAmounts.get(id) ?? 0 };
  }

  /** @throws {Problem} `charge_not_found` for a `startingAfter` that is no charge */
  listCharges({ createdAfter, startingAfter, limit }: ListFilter): ChargePage {
    if (startingAfter !== undefined) this.findCharge(startingAfter);
    // A map keeps the order in which its entries came, which a clock that is set back does not.
    const ids = [...this.#charges.keys()];
    const following = ids.slice(startingAfter === undefined ? 0 : ids.indexOf(startingAfter) + 1);
    const after = createdAfter?.toISOString() ?? '';
    const found = following.filter((id) => this.#charges.get(id)!.createdAt > after);
    return {
      charges: found
        .slice(0, limit)
        .map((id) => ({ ...this.findCharge(id), idempotencyKey: this.#keyOf.get(id)! })),
      hasMore: found.length > limit,
    };
  }

  findChargeByKey(key: string): Charge {
    const charge = this.#chargeKeys.find(key);
    if (!charge) throw new Problem('charge_not_found', `No charge with idempotency key ${key}`);
    return this.findCharge(charge.id);
  }

  findRefundByKey(key: string): Refund {
    const refund = this.#refundKeys.find(key);
    if (!refund) throw new Problem('refund_not_found', `No refund with idempotency key ${key}`);
    return refund;
  }

  ledger(filter?: LedgerFilter): Ledger {
    return summarise(this.#charges.values(), this.#refunds.values(), filter);
  }

  reset(): void {
    this.#record({ type: 'reset' });
  }

  /** First kept, then true, then answered. No await between deciding and this: two refunds never see the same rest. */
  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.type === 'charge') {
      this.#charges.set(entry.charge.id, entry.charge);
      this.#keyOf.set(entry.charge.id, entry.key);
    }
    if (entry.type === 'refund') {
      const { id, chargeId, amount } = entry.refund;
      this.#refunds.set(id, entry.refund);
      this.#refundedAmounts.set(chargeId, (this.#refundedAmounts.get(chargeId) ?? 0) + amount);
    }
    if (entry.type === 'reset') {
      for (const part of [this.#charges, this.#keyOf, this.#refunds, this.#refundedAmounts]) part.clear();
      for (const keys of [this.#chargeKeys, this.#refundKeys]) keys.clear();
    }
  }
}

export type GatewayOptions = { journal: Journal; past?: Iterable<Entry>; now?: () => Date };

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}
