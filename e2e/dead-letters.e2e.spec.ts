import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Broker, type DeadLetters } from '@cairn/messaging/kafkajs';
import { writeRaw } from '@cairn/tools/demo/topic.reader.ts';
import type { ShopClient } from '@cairn/tools/demo/shop.client.ts';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { askAdmin, databaseUrl, type AppName } from '@cairn/tools/local/apps.ts';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { DRAFT, orderReaches, placeOrder, startSystem, type System } from './system.ts';

/** The whole system, and `dlq` as an operator runs it: a process of its own beside those that go on. */
let system: System;
let broker: Broker;
let database: pg.Client;

beforeAll(async () => {
  system = await startSystem();
  broker = new Broker({ brokers: system.places.brokers, clientId: 'dead-letters-test' });
  database = new pg.Client({ connectionString: databaseUrl(process.env['POSTGRES_URL']!, 'payments') });
  await database.connect();
}, 90_000);
afterAll(async () => {
  await database?.query('ALTER TABLE payment DROP CONSTRAINT IF EXISTS by_mistake');
  await Promise.all([database?.end(), broker?.close(), system?.stop()]);
});

const dlq = (app: AppName, ...args: string[]) => askAdmin(app, ['dlq', ...args], system.launch);
const letterIn = (letters: DeadLetters, key: string) =>
  waitFor(`a letter of ${key}`, async () => (await letters.list({ key }))[0], {
    timeoutMs: 40_000,
    everyMs: 500,
  });

describe('an order that a mistake in the database of payments has stopped', () => {
  const AMOUNT = 4711;
  let id: string;
  let letter: string;
  let shop: ShopClient;

  it('is parked for no known reason, and is listed and shown without its card', async () => {
    // NOT VALID: these engines may have seen this test before.
    await database.query(
      `ALTER TABLE payment ADD CONSTRAINT by_mistake CHECK (amount <> ${AMOUNT}) NOT VALID`,
    );
    shop = await system.customer();
    const lines = [{ ...DRAFT.lines[0]!, quantity: 1, unitPrice: AMOUNT }];
    ({ id } = await placeOrder(shop, 'tok_visa', { ...DRAFT, lines }));
    ({ id: letter } = await letterIn(broker.deadLetters('payments', ['orders']), id));

    const list = await dlq('payments', 'list', '--key', id);
    expect(list).toMatchObject({
      code: 0,
      out: expect.stringMatching(`${letter} .* order.confirmed.v1 +${id} +1 `),
    });
    const show = await dlq('payments', 'show', letter);
    expect(show.code).toBe(0);
    expect(show.out).toContain('violates check constraint "by_mistake"');
    expect(show.out).toContain('a replay reads the original');
    expect(show.out).not.toContain('tok_visa');
  }, 90_000);

  it('stays parked as long as the mistake does', async () => {
    const { code, out } = await dlq('payments', 'replay', letter);
    expect(code).toBe(1);
    expect(out).toMatch(/^1\/1 {2}kept .*by_mistake.*\n0 replayed, 1 kept\n$/m);
  }, 60_000);

  it('is paid once it is replayed, and charged once though two operators replay it at the same moment', async () => {
    await database.query('ALTER TABLE payment DROP CONSTRAINT by_mistake');
    const both = await Promise.all([dlq('payments', 'replay', letter), dlq('payments', 'replay', letter)]);
    // Whoever comes late finds no letter; both may have found it.
    expect(both.map(({ code }) => code)).toContain(0);
    await orderReaches(shop, id, 'paid');
    expect(await dlq('payments', 'replay', letter)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`there is no dead letter ${letter}`),
    });
    expect(await system.gateway.ledgerOf(id)).toMatchObject({ charges: 1, net: { EUR: AMOUNT } });
    expect(await dlq('payments', 'list', '--key', id)).toMatchObject({
      code: 0,
      out: 'no dead letters of payments\n',
    });
  }, 90_000);
});

describe('an event of which nobody can make sense', () => {
  it('stays a dead letter however often it is replayed, until it is dropped', async () => {
    const key = randomUUID();
    const event = {
      specversion: '1.0',
      id: randomUUID(),
      type: 'payment.succeeded.v1',
      source: '/x',
      subject: key,
    };
    await writeRaw(system.places.brokers, 'payments', [{ key, value: JSON.stringify(event) }]);
    const { id } = await letterIn(broker.deadLetters('orders', ['payments']), key);
    for (let times = 0; times < 2; times++)
      expect(await dlq('orders', 'replay', id)).toMatchObject({
        code: 1,
        out: expect.stringContaining('payment.succeeded.v1 does not fit'),
      });
    expect(await dlq('orders', 'drop', id)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^1 dropped, 0 kept$/m),
    });
    expect((await dlq('orders', 'list', '--key', key)).out).toBe('no dead letters of orders\n');
  }, 90_000);
});

describe('dlq', () => {
  it.each(['orders', 'payments', 'notifications', 'worker', 'scheduler'] as const)(
    'is a command of %s',
    async (app) => {
      expect(await dlq(app, 'list')).toMatchObject({ code: 0, err: '' });
      expect(await dlq(app, 'lisst')).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringContaining('dlq replay ID…'),
      });
    },
    30_000,
  );
});
