/** What one customer meant, and what the customer was told. One intent is one order, or none. */
export type Intent = {
  id: string;
  customer: string;
  /** Every draft under which it was sent; more than one only where the client makes mistakes on purpose. */
  drafts: string[];
  currency: string;
  /** Minor units. */
  total: number;
  /** Whether the card is one that the gateway takes. */
  cardIsGood: boolean;
  /** The ids in all replies of 201, each once. */
  accepted: string[];
  /** How many replies of 201 were not byte for byte the first one. */
  otherReplies: number;
  /** The API said that it is cancelled. */
  cancelled: boolean;
  /** What it was told last, if that was not a 201; undefined when it was. */
  refusal?: string;
};

export type OrderRow = {
  id: string;
  customer: string;
  draftId: string;
  currency: string;
  total: number;
  state: string;
  /** Why it was cancelled. */
  reason?: string;
};
export type PaymentRow = { id: string; orderId: string; currency: string; amount: number; state: string };

/** A charge in the gateway's own journal. `reference` is the order's id. */
export type ChargeRow = {
  id: string;
  key: string;
  reference: string;
  currency: string;
  amount: number;
  succeeded: boolean;
  /** Minor units given back of it. */
  refunded: number;
};

/** An event as it stands on its topic, in the order of the topic; `offset` is within its partition. */
export type SeenEvent = {
  topic: string;
  partition: number;
  offset: number;
  id: string;
  type: string;
  source: string;
  subject: string;
  /** 1, 2, 3 … per source and subject; undefined where events are not numbered. */
  sequence?: number;
};

/** What was left lying about, each 0 when everything is settled. */
export type Leftovers = Record<string, number>;

/** What every party says, once the load is over. */
export type Books = {
  intents: Intent[];
  orders: OrderRow[];
  payments: PaymentRow[];
  charges: ChargeRow[];
  events: SeenEvent[];
  /** Keys of receipts in object storage, one per version that is there. */
  receipts: string[];
  /** The Message-ID of every e-mail in the mailbox, repeated ones too. */
  mails: string[];
  leftovers: Leftovers;
};

/** `stuck` may still mend itself; everything else never will. */
export type Violation = { kind: 'money' | 'lost' | 'doubled' | 'stuck' | 'order'; text: string };

/** Groups without ceremony: what has the same key, in the order it came. */
export function by<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  return Map.groupBy(items, key);
}
