/** What was seen of an outage, from its first fault to the last payment. */
export type Seen = {
  orders: number;
  /** Orders that are paid in the end. */
  paid: number;
  /** How often the gateway has charged each order. */
  charges: number[];
  opened: boolean;
  closedAgain: boolean;
  pausedPartitions: number;
  stillPaused: number;
  deadLetters: number;
  rssBeforeBytes: number;
  rssDuringBytes: number[];
};

export type Check = { ok: boolean; what: string };

/** Above what a process of 128 MB heap gains and gives back from one collection of its garbage to the next. */
export const MOST_GROWTH_BYTES = 40e6;

/** What an outage must not cost, each with what was seen. */
export function verdict(seen: Seen): Check[] {
  const { orders, paid, charges, pausedPartitions, stillPaused, deadLetters } = seen;
  const once = charges.filter((count) => count === 1).length;
  const most = Math.max(0, ...seen.rssDuringBytes);
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const flat = seen.rssDuringBytes.length > 0 && most - seen.rssBeforeBytes <= MOST_GROWTH_BYTES;
  return [
    { ok: seen.opened, what: `the circuit ${seen.opened ? 'opened' : 'did not open'}` },
    {
      ok: pausedPartitions > 0 && stillPaused === 0,
      what: `${pausedPartitions} partitions paused, ${stillPaused} of them still do`,
    },
    {
      ok: seen.closedAgain,
      what: `the circuit ${seen.closedAgain ? 'closed again by itself' : 'did not close'}`,
    },
    {
      ok: flat,
      what: `payments had ${mb(seen.rssBeforeBytes)} before and at most ${mb(most)} during the outage`,
    },
    { ok: deadLetters === 0, what: `payments parked ${deadLetters} messages as dead letters, says its log` },
    { ok: paid === orders, what: `${paid} of ${orders} orders are paid` },
    {
      ok: once === orders,
      what: `${once} of ${orders} orders are charged exactly once, says the gateway's ledger`,
    },
  ];
}
