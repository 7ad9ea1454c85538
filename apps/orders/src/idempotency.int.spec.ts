import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { aConfig } from './config.fixture.ts';
import { aKey, onEngines, settings } from './orders.fixture.ts';
import { OrdersRepository } from './orders.repository.ts';
import { OrdersService } from './orders.service.ts';

/** Real: PostgreSQL and Redis. What other requests hold is held by a transaction of the test. */
const { open, close, dataSource, repository, drafts, service, rows, aCustomer, aDraft } = onEngines({
  lockTimeoutMs: 200,
});
beforeAll(open);
afterAll(close);

const ordersOf = (customer: string) => rows('SELECT id FROM orders WHERE customer_id = $1', customer);

/** A request whose process died, or hangs, after it claimed the key and before it committed. */
async function inTheMiddle(sql: string, ...parameters: unknown[]) {
  const other = await new DataSource(dataSource.options).initialize();
  const runner = other.createQueryRunner();
  const [backend] = (await runner.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[];
  await runner.startTransaction();
  await runner.query(sql, parameters);
  return async () => {
    // Returns once it is gone, and with it its locks.
    await rows('SELECT pg_terminate_backend($1, 10000)', backend!.pid);
    await runner.release();
    await other.destroy();
  };
}

const CLAIM = `INSERT INTO idempotency_key (customer_id, key, fingerprint, response) VALUES ($1, $2, 'x', '{}')`;
const TAKE_DRAFT = `INSERT INTO orders (id, customer_id, draft_id, email, currency, total, state, created_at)
                    VALUES ($1, $2, $3, 'ada@example.com', 'EUR', 1, 'pending', now())`;

describe('a request whose key is in flight', () => {
  it('is told to come back, and makes the order once the other one is dead', async () => {
    const customer = aCustomer();
    const [key, request] = [aKey(), await aDraft(customer)];
    const kill = await inTheMiddle(CLAIM, customer, key);
    await expect(service.confirm(customer, key, request)).rejects.toMatchObject({
      code: 'idempotency_key_in_flight',
      kind: 'conflict',
      retryAfterS: 1,
    });
    expect(await ordersOf(customer)).toEqual([]);
    await kill();
    expect(await service.confirm(customer, key, request)).toMatchObject({ replayed: false });
    expect(await service.confirm(customer, key, request)).toMatchObject({ replayed: true });
    expect(await ordersOf(customer)).toHaveLength(1);
  });

  it('is told so as well when its draft is on its way under another key', async () => {
    const customer = aCustomer();
    const [key, request] = [aKey(), await aDraft(customer)];
    const kill = await inTheMiddle(TAKE_DRAFT, randomUUID(), customer, request.draftId);
    const refused = service.confirm(customer, key, request);
    await expect(refused).rejects.toMatchObject({ code: 'idempotency_key_in_flight' });
    await kill();
    expect(await service.confirm(customer, key, request)).toMatchObject({ replayed: false });
  });

  it('keeps nobody waiting with another key, nor another customer with the same one', async () => {
    const customer = aCustomer();
    const key = aKey();
    const kill = await inTheMiddle(CLAIM, customer, key);
    const other = aCustomer();
    await service.confirm(customer, aKey(), await aDraft(customer));
    await service.confirm(other, key, await aDraft(other));
    await kill();
  });
});

describe('a request whose outcome nobody heard of', () => {
  it('is replayed: the order was committed before the connection was lost', async () => {
    const customer = aCustomer();
    const [key, request] = [aKey(), await aDraft(customer)];
    const lossy = Object.assign(Object.create(repository) as OrdersRepository, {
      insert: async (...of: Parameters<OrdersRepository['insert']>) => {
        await repository.insert(...of);
        throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
      },
    });
    const lost = new OrdersService(lossy, drafts, settings).confirm(customer, key, request);
    await expect(lost).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await service.confirm(customer, key, request)).toMatchObject({ replayed: true });
    expect(await ordersOf(customer)).toHaveLength(1);
  });
});

describe('a reply', () => {
  const age = (customer: string, hours: number) =>
    rows(
      'UPDATE idempotency_key SET created_at = now() - make_interval(hours => $2) WHERE customer_id = $1',
      customer,
      hours,
    );

  it('is kept for a day at least, whatever is configured', async () => {
    expect(() => aConfig({ IDEMPOTENCY_KEEP_DAYS: '0' })).toThrow('IDEMPOTENCY_KEEP_DAYS');
    expect(() => aConfig({ IDEMPOTENCY_KEEP_DAYS: '23h' })).toThrow('IDEMPOTENCY_KEEP_DAYS');
    expect(aConfig({ IDEMPOTENCY_KEEP_DAYS: '1' }).IDEMPOTENCY_KEEP_DAYS).toBe(1);
    const [young, old] = [aCustomer(), aCustomer()];
    for (const customer of [young, old]) await service.confirm(customer, aKey(), await aDraft(customer));
    await age(young, 23);
    await age(old, 25);
    expect(await repository.forgetReplies(1)).toBe(1);
    expect(await rows('SELECT FROM idempotency_key WHERE customer_id = $1', young)).toHaveLength(1);
  });

  it('that is forgotten makes no second order: the draft is confirmed for good', async () => {
    const customer = aCustomer();
    const [key, request] = [aKey(), await aDraft(customer)];
    await service.confirm(customer, key, request);
    await age(customer, 49);
    await repository.forgetReplies(2);
    await expect(service.confirm(customer, key, request)).rejects.toMatchObject({
      code: 'draft_already_confirmed',
    });
  });
});
