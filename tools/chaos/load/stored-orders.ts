import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';

export type OrderCounts = {
  /** Answered with 201. */
  confirmed: number;
  /** In the database. */
  stored: number;
  /** Answered with 201 and not in the database. */
  missing: number;
  /** Of the confirmed ones. */
  paid: number;
};

export type CountOptions = {
  /** Database of orders. */
  url: string;
  /** How long the orders may take to be paid. 0: that is not waited for. */
  settleMs: number;
};

/**
 * What has become of the confirmed orders of a customer, as the database says. To be called while replicas are up: the events of
 * one that left are the others' to handle.
 */
export async function countOrders(
  customer: string,
  confirmed: string[],
  { url, settleMs }: CountOptions,
): Promise<OrderCounts> {
  const count = async (): Promise<OrderCounts> => {
    const stored = new Map((await ordersOf(customer, url)).map(({ id, state }) => [id, state]));
    return {
      confirmed: confirmed.length,
      stored: stored.size,
      missing: confirmed.filter((id) => !stored.has(id)).length,
      paid: confirmed.filter((id) => stored.get(id) === 'paid').length,
    };
  };
  const until = performance.now() + settleMs;
  let counts = await count();
  while (counts.paid < counts.confirmed && performance.now() < until) {
    await delay(250);
    counts = await count();
  }
  return counts;
}

type StoredOrder = { id: string; state: string };

async function ordersOf(customer: string, connectionString: string): Promise<StoredOrder[]> {
  const db = new pg.Client({ connectionString });
  await db.connect();
  try {
    const { rows } = await db.query<StoredOrder>('SELECT id, state FROM orders WHERE customer_id = $1', [
      customer,
    ]);
    return rows;
  } finally {
    await db.end();
  }
}
