import { randomUUID } from 'node:crypto';
import { placesFrom } from '../demo/places.ts';
import { ShopClient } from '../demo/shop.client.ts';

export type Smoke = {
  app: string;
  /** Where the app's API is, without a slash at the end. Worker and scheduler have none. */
  url?: string | undefined;
  /** A customer's token. With it, orders is given a real order; else it only has to refuse those who have none. */
  token?: string | undefined;
};

/** What every customer asks of the services; behind a balancer, probes are not to be had from outside. */
const GUARDED: Record<string, string> = {
  orders: '/api/v1/orders/01980000-0000-7000-8000-000000000000',
  payments: '/api/v1/payments/01980000-0000-7000-8000-000000000000',
  notifications: '/api/v1/notifications?orderId=01980000-0000-7000-8000-000000000000',
};
const TIMEOUT_MS = 10_000;

/**
 * Asks a release what its customers ask.
 *
 * @returns what was seen, as a sentence
 * @throws Error with what it answered instead
 */
export async function smoke({ app, url, token }: Smoke): Promise<string> {
  const path = GUARDED[app];
  if (!path || !url) return `${app} has no API: that it is ready is all that can be asked`;
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  if (response.status !== 401)
    throw new Error(`${app} answers ${response.status} to who has no token, 401 is due`);
  if (app !== 'orders' || !token) return `${app} answers, and refuses who has no token`;
  return order(url, token);
}

async function order(url: string, token: string): Promise<string> {
  const shop = new ShopClient({ ...placesFrom(), orders: url }, token);
  const lines = [{ sku: 'TEA-01', name: 'Mountain tea', quantity: 2, unitPrice: 890 }];
  const draft = randomUUID();
  await shop.saveDraft(draft, { email: 'smoke@example.com', currency: 'EUR', lines });
  const { id, total } = await shop.confirm(draft, 'tok_visa', randomUUID());
  const { state } = await shop.order(id);
  if (total !== 1780) throw new Error(`an order of 2 × 890 comes to ${total}`);
  return `order ${id} of 17.80 EUR is ${state}`;
}
