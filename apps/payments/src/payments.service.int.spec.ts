import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { DataSource } from 'typeorm';
import { aConfig } from './config.fixture.ts';
import { createDataSource } from './data-source.factory.ts';
import { GatewayClient } from './gateway.client.ts';
import { PaymentsRepository } from './payments.repository.ts';
import { PaymentsService } from './payments.service.ts';

/** Real: PostgreSQL, and the client on HTTP. The gateway is small, keeps books by key, and loses answers when told. */
const env = (name: string) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; "npm test" sets it`);
  return value;
};
const database = `payments_${randomUUID().replaceAll('-', '')}`;
const server = new DataSource({ type: 'postgres', url: env('POSTGRES_URL'), installExtensions: false });
const url = Object.assign(new URL(env('POSTGRES_URL')), { pathname: `/${database}` });
const dataSource = createDataSource({ DATABASE_URL: url.href, DATABASE_POOL_MAX: 10 });
const repository = new PaymentsRepository(dataSource);
const servers: Server[] = [];

type Charge = { id: string; status: 'succeeded' | 'declined'; declineCode?: string };

async function aGateway() {
  const charges = new Map<string, Charge>();
  const refunds = new Map<string, { id: string }>();
  const calls: string[] = [];
  const faults = { losesAnswers: false, isDown: false, isSilent: false };
  const book = <T>(books: Map<string, T>, key: string, make: () => T) =>
    books.get(key) ?? books.set(key, make()).get(key)!;
  const gateway = createServer((request, response) => {
    void json(request)
      .catch(() => ({}))
      .then((body) => {
        const { pathname, searchParams } = new URL(request.url!, 'http://gateway');
        const key = String(request.headers['idempotency-key'] ?? searchParams.get('idempotencyKey'));
        calls.push(`${request.method} ${pathname} ${key}`);
        const answer = (status: number, value: object) => {
          if (faults.losesAnswers) request.socket.destroy();
          else response.writeHead(status).end(JSON.stringify(value));
        };
        if (faults.isSilent) return;
        if (faults.isDown) return answer(503, {});
        if (request.method === 'GET') {
          const charge = charges.get(key);
          return charge ? answer(200, { charge }) : answer(404, { code: 'charge_not_found' });
        }
        if (pathname === '/v1/refunds')
          return answer(
            201,
            book(refunds, key, () => ({ id: `re_${key}` })),
          );
        const { cardToken } = body as { cardToken: string };
        const charge = book<Charge>(charges, key, () =>
          cardToken === 'tok_expiredCard'
            ? { id: `ch_${key}`, status: 'declined', declineCode: 'expired_card' }
            : { id: `ch_${key}`, status: 'succeeded' },
        );
        answer(charge.status === 'succeeded' ? 201 : 402, charge);
      });
  }).listen(0, '127.0.0.1');
  servers.push(gateway);
  await once(gateway, 'listening');
  const { port } = gateway.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, charges, refunds, calls, faults };
}
type Gateway = Awaited<ReturnType<typeof aGateway>>;

/** A process of its own, as far as gateway and database can tell. */
const aService = (gateway: Gateway, { payments = repository, inS = 0, timeoutMs = 5000 } = {}) =>
  new PaymentsService(
    payments,
    new GatewayClient(
      aConfig({
        GATEWAY_URL: gateway.url,
        GATEWAY_TIMEOUT_MS: String(timeoutMs),
        GATEWAY_ATTEMPTS: '1',
        GATEWAY_BREAKER_WINDOW_CALLS: '100',
        GATEWAY_BREAKER_MIN_CALLS: '100',
      }),
    ),
    { RECONCILE_AFTER_S: 60 },
    () => new Date(Date.now() + inS * 1000),
  );
/** Dies when it wants to save what the gateway said. */
const dying = () =>
  Object.assign(new PaymentsRepository(dataSource), { update: () => Promise.reject(new Error('killed')) });

const anOrder = (cardToken = 'tok_visa') => ({
  orderId: randomUUID(),
  customerId: 'ada',
  total: 2100,
  currency: 'EUR',
  cardToken,
});
type Order = ReturnType<typeof anOrder>;
const paymentOf = ({ orderId }: Order) => repository.ofOrder(orderId);
const announced = async ({ orderId }: Order) => {
  const sql = 'SELECT event FROM outbox WHERE key = $1 ORDER BY id';
  const rows = await dataSource.query<{ event: { type: string; data: object } }[]>(sql, [orderId]);
  return rows.map(({ event }) => event);
};
const succeeded = async (order: Order) => ({
  type: 'payment.succeeded.v1',
  data: { paymentId: (await paymentOf(order))!.id, orderId: order.orderId, amount: 2100, currency: 'EUR' },
});
const paidAndRefunded = [
  { type: 'payment.succeeded.v1', sequence: '1', sequencetype: 'Integer' },
  { type: 'payment.refunded.v1', sequence: '2', sequencetype: 'Integer' },
];

beforeAll(async () => {
  await server.initialize();
  await server.query(`CREATE DATABASE ${database}`);
  await dataSource.initialize();
  await dataSource.runMigrations();
});
afterEach(() => {
  for (const gateway of servers.splice(0)) {
    gateway.close();
    gateway.closeAllConnections();
  }
});
afterAll(async () => {
  if (dataSource.isInitialized) await dataSource.destroy();
  if (!server.isInitialized) return;
  await server.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await server.destroy();
});

describe('a payment', () => {
  it('is charged once and announced once, however often its message comes', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
    await Promise.all([1, 2, 3].map(() => aService(gateway).pay(messageId, order)));
    await aService(gateway).pay(messageId, order);
    await aService(gateway).pay(randomUUID(), order);
    expect(gateway.charges.size).toBe(1);
    expect(await announced(order)).toMatchObject([await succeeded(order)]);
  });

  it('is settled by the next delivery, under the same key, when a process died after the charge', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
    await expect(aService(gateway, { payments: dying() }).pay(messageId, order)).rejects.toThrow('killed');
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    expect(await announced(order)).toEqual([]);
    await aService(gateway).pay(messageId, order);
    const { id } = (await paymentOf(order))!;
    expect(gateway.calls).toEqual([`POST /v1/charges ${id}`, `POST /v1/charges ${id}`]);
    expect(gateway.charges.size).toBe(1);
    expect(await announced(order)).toMatchObject([await succeeded(order)]);
  });

  it('fails with the reason of the gateway, and is not charged again', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder('tok_expiredCard'), randomUUID()];
    await aService(gateway).pay(messageId, order);
    await aService(gateway).pay(messageId, order);
    const payment = (await paymentOf(order))!;
    expect(payment).toMatchObject({ state: 'failed', reason: 'expired_card' });
    expect(await announced(order)).toMatchObject([
      { type: 'payment.failed.v1', data: { reason: 'expired_card' } },
    ]);
    expect(gateway.calls).toHaveLength(1);
    expect(await aService(gateway).get('ada', payment.id)).toMatchObject({ reason: 'expired_card' });
    await expect(aService(gateway).get('eve', payment.id)).rejects.toMatchObject({
      code: 'payment_not_found',
    });
  });

  it('keeps no card token', async () => {
    const [gateway, order] = [await aGateway(), anOrder(`tok_${randomUUID()}`)];
    await aService(gateway).pay(randomUUID(), order);
    for (const table of ['payment', 'outbox', 'inbox']) {
      expect(JSON.stringify(await dataSource.query(`SELECT * FROM ${table}`))).not.toContain(order.cardToken);
    }
  });
});

describe('a payment whose answer was lost', () => {
  const lost = async (fault: keyof Gateway['faults'], timeoutMs = 5000) => {
    const [gateway, order] = [await aGateway(), anOrder()];
    gateway.faults[fault] = true;
    const paying = aService(gateway, { timeoutMs }).pay(randomUUID(), order);
    await expect(paying).rejects.toMatchObject({ transient: true });
    gateway.faults[fault] = false;
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    expect(await announced(order)).toEqual([]);
    return { gateway, order };
  };

  it('is settled by asking, once it is old enough', async () => {
    const { gateway, order } = await lost('losesAnswers');
    await aService(gateway).reconcile();
    expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
    await Promise.all([1, 2].map(() => aService(gateway, { inS: 61 }).reconcile()));
    expect(await announced(order)).toMatchObject([await succeeded(order)]);
    expect(gateway.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  it.each([
    ['was down', 'isDown', 5000],
    ['did not answer in time', 'isSilent', 50],
  ] as const)(
    'stays open when the gateway %s, and is settled by charging again',
    async (_, fault, timeoutMs) => {
      const { gateway, order } = await lost(fault, timeoutMs);
      await aService(gateway, { inS: 61 }).reconcile();
      expect(await paymentOf(order)).toMatchObject({ state: 'charging' });
      await aService(gateway).pay(randomUUID(), order);
      expect(await announced(order)).toMatchObject([await succeeded(order)]);
    },
  );

  it('is found out and given back when its order is cancelled', async () => {
    const { gateway, order } = await lost('losesAnswers');
    await aService(gateway).giveBack(randomUUID(), order);
    expect(await announced(order)).toMatchObject(paidAndRefunded);
    expect([gateway.charges.size, gateway.refunds.size]).toEqual([1, 1]);
  });
});

describe('a refund', () => {
  it('is made once, however often its message comes and whoever dies in between', async () => {
    const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
    await aService(gateway).pay(randomUUID(), order);
    const lateToSave = aService(gateway, { payments: dying() }).giveBack(messageId, order);
    await expect(lateToSave).rejects.toThrow('killed');
    await Promise.all([1, 2].map(() => aService(gateway).giveBack(messageId, order)));
    await aService(gateway).giveBack(randomUUID(), order);
    const { id } = (await paymentOf(order))!;
    expect([...gateway.refunds.keys()]).toEqual([`refund-${id}`]);
    expect(await announced(order)).toMatchObject(paidAndRefunded);
    expect(await paymentOf(order)).toMatchObject({ state: 'refunded' });
  });

  it('is not made of what was never charged', async () => {
    const [gateway, declined] = [await aGateway(), anOrder('tok_expiredCard')];
    await aService(gateway).pay(randomUUID(), declined);
    await aService(gateway).giveBack(randomUUID(), declined);
    await aService(gateway).giveBack(randomUUID(), anOrder());
    expect(gateway.refunds.size).toBe(0);
  });

  it('closes what nobody has charged, so that a late replay of the order charges nothing', async () => {
    const [gateway, order] = [await aGateway(), anOrder()];
    await aService(gateway).giveBack(randomUUID(), order);
    await aService(gateway).pay(randomUUID(), order);
    expect(await paymentOf(order)).toMatchObject({ state: 'failed', reason: 'order_cancelled' });
    expect(gateway.charges.size).toBe(0);
  });

  it.each(['lives on', 'dies before it can give back'])(
    'is made of what a process charged that was thought dead, when it %s',
    async (what) => {
      const [gateway, order, messageId] = [await aGateway(), anOrder(), randomUUID()];
      // It has sent its charge when another process, asked to give back, hears of none and closes the payment.
      const overtaken = Object.assign(Object.create(repository) as PaymentsRepository, {
        open: async (...args: Parameters<PaymentsRepository['open']>) => {
          const payment = await repository.open(...args);
          await aService(gateway).giveBack(randomUUID(), order);
          return payment;
        },
        ofOrder: (orderId: string) =>
          what === 'lives on' ? repository.ofOrder(orderId) : Promise.reject(new Error('killed')),
      });
      const zombie = aService(gateway, { payments: overtaken }).pay(messageId, order);
      if (what === 'lives on') await zombie;
      else {
        await expect(zombie).rejects.toThrow('killed');
        await aService(gateway).pay(messageId, order);
      }
      expect([gateway.charges.size, gateway.refunds.size]).toEqual([1, 1]);
    },
  );
});
