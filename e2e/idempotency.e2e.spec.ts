import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { Redis } from 'ioredis';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { databaseUrl, startApp } from '@cairn/tools/local/apps.ts';
import { fetchToken } from '@cairn/tools/local/token.ts';
import type { Child } from '@cairn/tools/stack/child.ts';
import { freePorts } from '@cairn/tools/stack/ports.ts';
import { DRAFT, orderReaches, startSystem, TOTAL, type System } from './system.ts';

/** Two replicas of orders, and clients that send one request again and again, to either of them. */
let system: System;
let second: Child;
let replicas: string[];
let db: pg.Client;

beforeAll(async () => {
  system = await startSystem();
  const [port] = await freePorts(1);
  second = await startApp('orders', { ...system.launch, port: port!, replica: '2' });
  replicas = [system.places.orders, `http://127.0.0.1:${port}`];
  db = new pg.Client({ connectionString: databaseUrl(process.env['POSTGRES_URL']!, 'orders') });
  await db.connect();
}, 60_000);
afterAll(async () => {
  await db?.end();
  await second?.stop();
  await system?.stop();
});

type Answer = { status: number; body: string; headers: Headers };
const codeOf = ({ body }: Answer) => (JSON.parse(body) as { code?: string }).code;

/** A customer who has saved a draft and sends what the test wants to send, as often as it wants. */
async function aClient() {
  const name = `customer-${randomUUID()}`;
  const [shop, token] = [await system.customer(name), await fetchToken(name, 3600, system.places.issuer)];
  const draftId = randomUUID();
  await shop.saveDraft(draftId, DRAFT);
  const confirm = async (
    key: string | undefined,
    { to = 0, cardToken = 'tok_visa' } = {},
  ): Promise<Answer> => {
    const response = await fetch(`${replicas[to]}/api/v1/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body: JSON.stringify({ draftId, cardToken }),
    });
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  const orders = async () => {
    const { rows } = await db.query<{ id: string }>('SELECT id FROM orders WHERE customer_id = $1', [name]);
    return rows.map(({ id }) => id);
  };
  return { name, shop, draftId, confirm, orders };
}

const replayed = ({ headers }: Answer) => headers.get('idempotency-replayed') === 'true';

describe('one key', () => {
  it('is one order for 100 requests at once over two replicas, and one reply to the byte', async () => {
    const { shop, confirm, orders } = await aClient();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => confirm(key, { to: i % 2 })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1);
    const ids = await orders();
    expect(ids).toHaveLength(1);
    await orderReaches(shop, ids[0]!, 'paid');
    expect(await system.gateway.ledgerOf(...ids)).toMatchObject({ charges: 1, net: { EUR: TOTAL } });
  }, 30_000);

  it('replays the reply as it was, though the order has gone on since', async () => {
    const { shop, confirm, orders } = await aClient();
    const key = randomUUID();
    const first = await confirm(key);
    const [id] = await orders();
    await orderReaches(shop, id!, 'paid');
    const again = await confirm(key, { to: 1 });
    expect([again.status, again.body, replayed(again)]).toEqual([201, first.body, true]);
  }, 30_000);

  it('is refused for another request, when it is missing, and is free for another customer', async () => {
    const [one, other, key] = [await aClient(), await aClient(), randomUUID()];
    await one.confirm(key);
    const mismatch = await one.confirm(key, { cardToken: 'tok_amex' });
    expect([mismatch.status, codeOf(mismatch)]).toEqual([422, 'idempotency_key_reused']);
    const missing = await one.confirm(undefined);
    expect([missing.status, codeOf(missing)]).toEqual([400, 'idempotency_key_missing']);
    const free = await other.confirm(key);
    expect([free.status, replayed(free)]).toEqual([201, false]);
    expect([(await one.orders()).length, (await other.orders()).length]).toEqual([1, 1]);
  }, 30_000);

  it('outlives Redis: after FLUSHALL the reply is the same, and no second order is made', async () => {
    const { confirm, orders } = await aClient();
    const key = randomUUID();
    const first = await confirm(key);
    const redis = new Redis(process.env['REDIS_URL']!);
    await redis.flushall();
    redis.disconnect();
    const again = await confirm(key, { to: 1 });
    expect([again.status, again.body, replayed(again)]).toEqual([201, first.body, true]);
    expect(await orders()).toHaveLength(1);
  }, 30_000);
});

describe('a request that died between claim and commit', () => {
  /** Holds what `insert` needs, so that a request stands in the middle of its statement for as long as the test wants. */
  async function held(name: string, draftId: string) {
    await db.query('BEGIN');
    await db.query(
      `INSERT INTO orders (id, customer_id, draft_id, email, currency, total, state, created_at)
       VALUES ($1, $2, $3, 'ada@example.com', 'EUR', 1, 'pending', now())`,
      [randomUUID(), name, draftId],
    );
    return {
      /** The backends that wait for us, and not those that happen to wait for one another. */
      waiting: () =>
        waitFor('the request to stand in its statement', async () => {
          const { rows } = await db.query<{ pid: number }>(
            `SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))`,
          );
          return rows.length > 0 ? rows.map(({ pid }) => pid) : undefined;
        }),
      letGo: () => db.query('ROLLBACK'),
    };
  }

  it('is told to wait by the other replica while it is in flight', async () => {
    const { name, draftId, confirm, orders } = await aClient();
    const key = randomUUID();
    const { letGo } = await held(name, draftId);
    const answer = await confirm(key, { to: 1 });
    expect([answer.status, codeOf(answer)]).toEqual([409, 'idempotency_key_in_flight']);
    expect(answer.headers.get('retry-after')).toBe('1');
    await letGo();
    expect((await confirm(key)).status).toBe(201);
    expect(await orders()).toHaveLength(1);
  }, 30_000);

  it('is made once by a retry when its connection to the database was cut', async () => {
    const { name, draftId, confirm, orders } = await aClient();
    const key = randomUUID();
    const { waiting, letGo } = await held(name, draftId);
    const cut = confirm(key);
    for (const pid of await waiting()) await db.query('SELECT pg_terminate_backend($1)', [pid]);
    const answer = await cut;
    expect([answer.status, codeOf(answer)]).toEqual([503, 'dependency_unavailable']);
    await letGo();
    expect((await confirm(key, { to: 1 })).status).toBe(201);
    expect(await orders()).toHaveLength(1);
  }, 30_000);

  it('is made once by a retry when its process was killed, whether its statement still went through or not', async () => {
    const { name, draftId, confirm, orders } = await aClient();
    const key = randomUUID();
    const { waiting, letGo } = await held(name, draftId);
    const lost = confirm(key, { to: 1 }).catch(() => 'no answer');
    await waiting();
    process.kill(second.pid, 'SIGKILL');
    expect(await lost).toBe('no answer');
    await letGo();
    const [one, other] = [await confirm(key), await confirm(key)];
    expect([one.status, other.status, one.body === other.body]).toEqual([201, 201, true]);
    expect(await orders()).toHaveLength(1);
  }, 30_000);
});
