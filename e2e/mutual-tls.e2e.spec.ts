import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Authority, IdentityFiles } from '@cairn/http/testing';
import { Identity, mutualFetch } from '@cairn/http/tls';
import { ShopClient } from '@cairn/tools/demo/shop.client.ts';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { startApp, type AppName } from '@cairn/tools/local/apps.ts';
import { get } from 'node:https';
import { orderReaches, placeOrder, startSystem, TOTAL, type System } from './system.ts';

/** Real: orders and payments as processes that take client certificates only, the engines, and certificates made here. */
const authority = new Authority('Cairn');
const host = '127.0.0.1';
const files: IdentityFiles[] = [];
const filesOf = (name: string, of = authority) => {
  const made = new IdentityFiles(of, { names: [name, host] });
  files.push(made);
  return made;
};
const ofOrders = filesOf('orders.cairn');
const ofPayments = filesOf('payments.cairn');
const ofShop = filesOf('edge.cairn');

let system: System;
let shop: ShopClient;
const plainFetch = globalThis.fetch;
const https = (app: 'orders' | 'payments') => `https://${host}:${system.launch.ports[app]}`;

async function restart(app: AppName, env: Record<string, string>): Promise<void> {
  await system.world.running.get(app)?.stop();
  system.world.running.set(app, await startApp(app, { ...system.launch, env }));
}

beforeAll(async () => {
  system = await startSystem();
  await Promise.all([
    restart('payments', { ...ofPayments.env, TLS_ALLOWED_CLIENTS: 'orders.cairn' }),
    restart('orders', {
      ...ofOrders.env,
      TLS_ALLOWED_CLIENTS: 'edge.cairn',
      PAYMENTS_URL: https('payments'),
    }),
  ]);
  const asEdge = mutualFetch(new Identity(ofShop));
  globalThis.fetch = (input, init) => (String(input).startsWith('https:') ? asEdge : plainFetch)(input, init);
  shop = await ShopClient.of({ ...system.places, orders: https('orders') }, 'customer-mtls');
}, 120_000);
afterAll(async () => {
  globalThis.fetch = plainFetch;
  await system?.stop();
  files.forEach((each) => each.remove());
});

const failure = (url: string, by: typeof fetch) =>
  by(url).then(
    ({ status }) => status,
    (error: { cause: { code: string } }) => error.cause.code,
  );

/** With no certificate of its own, though it believes the server's. */
const failureWithout = (url: string) =>
  new Promise((resolve) => {
    get(url, { ca: authority.cert, agent: false }, ({ statusCode }) => resolve(statusCode)).on(
      'error',
      ({ code }: NodeJS.ErrnoException) => resolve(code),
    );
  });

describe('services that take client certificates only', () => {
  it('take an order, and read it with its payment, which orders asks for with its own certificate', async () => {
    const { id } = await placeOrder(shop);
    const { paymentId } = await orderReaches(shop, id, 'paid');
    const whole = await shop.orderWithPayment(id);
    expect(whole).toMatchObject({ state: 'paid', payment: { id: paymentId, amount: TOTAL } });
    expect(whole).not.toHaveProperty('degraded');
  }, 60_000);

  it('refuse who has none, one of another authority, or one for another service', async () => {
    const url = `${https('payments')}/api/v1/payments/0194f0a0-0000-7000-8000-000000000002`;
    const stranger = filesOf('orders.cairn', new Authority('Another'));
    stranger.write({ ca: authority.cert });
    expect(await failure(url, mutualFetch(new Identity(stranger)))).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)$/);
    expect(await failureWithout(url)).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    expect(await failure(url, fetch)).toBe(403);
    // Without a token, whoever may call at all is told so.
    expect(await failure(url, mutualFetch(new Identity(ofOrders)))).toBe(401);
  });

  it('answer probes without one on the management port', async () => {
    for (const app of ['orders', 'payments'] as const)
      for (const probe of ['live', 'startup', 'ready']) {
        const port = system.launch.ports[`${app}Metrics`];
        expect((await plainFetch(`http://${host}:${port}/health/${probe}`)).status).toBe(200);
      }
  });

  it('tell how much of their certificates’ lifetime is left', async () => {
    for (const app of ['orders', 'payments'] as const) {
      const metrics = await plainFetch(`http://${host}:${system.launch.ports[`${app}Metrics`]}/metrics`);
      const left = /^tls_certificate_remaining_ratio(?:{[^}]*})? (\S+)$/m.exec(await metrics.text())?.[1];
      // They are valid from a day ago for two days.
      expect(Number(left)).toBeCloseTo(0.5, 2);
    }
  });

  it('go on without a restart when certificates are renewed under another authority', async () => {
    const next = new Authority('Cairn, the next');
    const { id } = await placeOrder(shop);
    await orderReaches(shop, id, 'paid');
    ofPayments.renew(next, { names: ['payments.cairn', host] });
    ofOrders.renew(next, { names: ['orders.cairn', host] });
    const asNext = new IdentityFiles(next, { names: ['edge.cairn', host] });
    files.push(asNext);
    const edge = mutualFetch(new Identity(asNext));
    const seen = async () => [
      await failure(https('payments'), edge),
      await failure(`${https('orders')}/nowhere`, edge),
    ];
    await waitFor('both to believe the next authority', async () =>
      (await seen()).join() === '403,404' ? true : undefined,
    );
    globalThis.fetch = (input, init) => (String(input).startsWith('https:') ? edge : plainFetch)(input, init);
    const again = await waitFor('orders to speak with payments again', async () => {
      const order = await shop.orderWithPayment(id);
      return order.degraded ? undefined : order;
    });
    expect(again).toMatchObject({ payment: { amount: TOTAL } });
  }, 60_000);
});
