import { randomUUID } from 'node:crypto';
import { GatewayAdmin } from '@cairn/tools/demo/gateway.client.ts';
import { mailsWith } from '@cairn/tools/demo/mailbox.ts';
import { placesFrom } from '@cairn/tools/demo/places.ts';
import { ShopClient, type DraftInput } from '@cairn/tools/demo/shop.client.ts';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { freeAppPorts, type LaunchOptions } from '@cairn/tools/local/apps.ts';
import { startWorld } from '@cairn/tools/local/world.ts';
import { createGuard } from '@cairn/tools/stack/guard.ts';

const ENGINES = [
  'POSTGRES_URL',
  'REDIS_URL',
  'KAFKA_BROKERS',
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'SMTP_URL',
  'MAIL_WEB_URL',
];

/** The whole system as processes of its own, on the engines that `npm test` started. `env` goes to every app. */
export async function startSystem(env: Record<string, string> = {}) {
  const missing = ENGINES.filter((name) => !process.env[name]);
  if (missing.length)
    throw new Error(`${missing.join(', ')} are not set; "npm test" starts engines and sets them`);
  const engines = Object.fromEntries(ENGINES.map((name) => [name, process.env[name]!]));
  const ports = await freeAppPorts();
  const guard = createGuard();
  const launch: LaunchOptions = { stack: 'test', guard, engines, ports, env };
  const world = await startWorld(launch, () => {});
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const places = placesFrom({
    ...engines,
    ORDERS_URL: url(ports.orders),
    PAYMENTS_URL: url(ports.payments),
    NOTIFICATIONS_URL: url(ports.notifications),
    GATEWAY_URL: url(ports.gateway),
    ISSUER_URL: url(ports.issuer),
    TRACES_URL: url(ports.traces),
  });
  return {
    launch,
    world,
    places,
    customer: (name = `customer-${randomUUID()}`) => ShopClient.of(places, name),
    gateway: new GatewayAdmin(places.gateway),
    stop: async () => {
      await world.stop();
      guard.close();
    },
  };
}

export type System = Awaited<ReturnType<typeof startSystem>>;

export const DRAFT: DraftInput = {
  email: 'ada@example.com',
  currency: 'EUR',
  lines: [
    { sku: 'TEA-01', name: 'Mountain tea', quantity: 2, unitPrice: 890 },
    { sku: 'MUG-02', name: 'Enamel mug', quantity: 1, unitPrice: 1450 },
  ],
};
export const TOTAL = 3230;

/** Draft and confirm in one go. */
export async function placeOrder(shop: ShopClient, cardToken = 'tok_visa', draft = DRAFT) {
  const draftId = randomUUID();
  await shop.saveDraft(draftId, draft);
  return shop.confirm(draftId, cardToken, randomUUID());
}

export function orderReaches(shop: ShopClient, id: string, state: string) {
  let last = '';
  const ask = async () => {
    const order = await shop.order(id);
    last = order.state;
    return order.state === state ? order : undefined;
  };
  return waitFor(`order ${id} to be ${state}`, ask, { timeoutMs: 25_000, seen: () => `it is ${last}` });
}

/** Waits for the e-mail of this kind and gives what the mailbox holds of it: one, or the number is wrong. */
export async function mailsFor(shop: ShopClient, orderId: string, template: string) {
  const sent = await waitFor(`the e-mail ${template}`, async () => {
    const found = (await shop.notifications(orderId)).find(
      (n) => n.template === template && n.state === 'sent',
    );
    return found;
  });
  return mailsWith(sent.messageId, shop.places.mail);
}
