import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DraftsStore } from './drafts.store.ts';
import { aBasket, aKey, line, onEngines, settings } from './orders.fixture.ts';
import { OrdersService } from './orders.service.ts';

/** Real: PostgreSQL and Redis. */
const {
  open,
  close,
  redis,
  repository,
  drafts,
  service,
  rows,
  aCustomer,
  aDraft,
  anOrder,
  announced,
  draftsLeft,
} = onEngines();
beforeAll(open);
afterAll(close);

const draftKey = (customer: string, id: string) => `draft:${customer}:${id}`;
const ordersOf = (customer: string) => rows('SELECT * FROM orders WHERE customer_id = $1', customer);
const keysOf = (customer: string) => rows('SELECT * FROM idempotency_key WHERE customer_id = $1', customer);
/** Everything that the tables hold, each as one text. */
const everything = async () => {
  const tables = await rows<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const texts = tables.map(
    async ({ name }) => [name, JSON.stringify(await rows(`SELECT * FROM ${name}`))] as const,
  );
  return Object.fromEntries(await Promise.all(texts));
};

describe('a draft', () => {
  it('ends after its time to live, which a new save starts anew', async () => {
    const [customer, id] = [aCustomer(), randomUUID()];
    await service.saveDraft(customer, id, aBasket());
    const ttl = await redis.ttl(draftKey(customer, id));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(settings.DRAFT_TTL_S);
    await redis.expire(draftKey(customer, id), 5);
    await service.saveDraft(customer, id, aBasket([line(500)]));
    expect(await redis.ttl(draftKey(customer, id))).toBeGreaterThan(5);
    expect(await service.getDraft(customer, id)).toMatchObject({ id, total: 1000 });
  });

  it('cannot be saved again once it is confirmed, nor seen by another', async () => {
    const customer = aCustomer();
    const request = await aDraft(customer);
    await expect(service.getDraft(aCustomer(), request.draftId)).rejects.toMatchObject({
      code: 'draft_not_found',
    });
    await service.confirm(customer, aKey(), request);
    await expect(service.saveDraft(customer, request.draftId, aBasket())).rejects.toMatchObject({
      code: 'draft_already_confirmed',
    });
    await expect(service.getDraft(customer, request.draftId)).rejects.toMatchObject({
      code: 'draft_not_found',
    });
  });
});

describe('confirming', () => {
  it('writes the order, its lines, its event and the key, and deletes the draft', async () => {
    const customer = aCustomer();
    const { view: order } = await anOrder(customer, { basket: aBasket([line(450), line(1200, 1)]) });
    expect(await ordersOf(customer)).toMatchObject([{ id: order.id, state: 'pending', total: '2100' }]);
    expect(await rows('SELECT * FROM order_line WHERE order_id = $1', order.id)).toHaveLength(2);
    expect(await announced(order.id)).toEqual(['order.confirmed.v1']);
    expect(await keysOf(customer)).toHaveLength(1);
    expect(await redis.keys(`draft:${customer}*`)).toEqual([]);
    expect(await service.get(customer, order.id)).toEqual(order);
  });

  it.each([
    ['a line breaks a rule', [line(), line(450, 0)]],
    ['the order breaks a rule', [line(450, 0)]],
  ])('leaves nothing behind when %s of the database', async (_, lines) => {
    const customer = aCustomer();
    const request = await aDraft(customer, aBasket(lines));
    const before = await everything();
    await expect(service.confirm(customer, aKey(), request)).rejects.toMatchObject({ code: '23514' });
    expect(await everything()).toEqual(before);
    expect(await service.getDraft(customer, request.draftId)).toMatchObject({ id: request.draftId });
  });

  it('keeps the card token in the event for payments, and nowhere else', async () => {
    const customer = aCustomer();
    const cardToken = `tok_${randomUUID().replaceAll('-', '')}`;
    await service.confirm(customer, aKey(), { ...(await aDraft(customer)), cardToken });
    const holders = Object.entries(await everything()).filter(([, text]) => text.includes(cardToken));
    expect(holders.map(([table]) => table)).toEqual(['outbox']);
    const left = await draftsLeft();
    expect(JSON.stringify(left.length ? await redis.mget(left) : [])).not.toContain(cardToken);
  });

  it('replays the reply when the draft is gone, even when all drafts are lost', async () => {
    const customer = aCustomer();
    const [key, request] = [aKey(), await aDraft(customer)];
    const first = await service.confirm(customer, key, request);
    const lost = await draftsLeft();
    if (lost.length) await redis.del(lost);
    expect(await service.confirm(customer, key, request)).toEqual({ body: first.body, replayed: true });
    await expect(service.confirm(customer, key, { ...request, cardToken: 'tok_amex' })).rejects.toMatchObject(
      {
        code: 'idempotency_key_reused',
      },
    );
    // The same key of another customer is another key.
    await expect(service.confirm(aCustomer(), key, request)).rejects.toMatchObject({
      code: 'draft_not_found',
    });
  });

  it('makes one order of twenty requests with one key, and answers all of them alike', async () => {
    for (let round = 0; round < 5; round++) {
      const customer = aCustomer();
      const [key, request] = [aKey(), await aDraft(customer)];
      const replies = await Promise.all(
        Array.from({ length: 20 }, () => service.confirm(customer, key, request)),
      );
      expect(new Set(replies.map(({ body }) => body)).size).toBe(1);
      expect(replies.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(await ordersOf(customer)).toHaveLength(1);
    }
  });

  it('replays when the first request deletes the draft between the two looks of the second', async () => {
    const customer = aCustomer();
    const [key, request] = [aKey(), await aDraft(customer)];
    let first: string | undefined;
    const overtaken = Object.assign(new DraftsStore(redis), {
      find: async (...of: Parameters<DraftsStore['find']>) => {
        first = (await service.confirm(customer, key, request)).body;
        return drafts.find(...of);
      },
    });
    const second = new OrdersService(repository, overtaken, settings).confirm(customer, key, request);
    expect(await second).toEqual({ body: first, replayed: true });
  });

  it('makes one order of a draft under two keys; the other key is told so', async () => {
    for (let round = 0; round < 5; round++) {
      const customer = aCustomer();
      const request = await aDraft(customer);
      const both = await Promise.allSettled(
        [aKey(), aKey()].map((key) => service.confirm(customer, key, request)),
      );
      const refused = both.filter((result) => result.status === 'rejected');
      expect(refused).toMatchObject([{ reason: { code: 'draft_already_confirmed' } }]);
      expect(await ordersOf(customer)).toHaveLength(1);
      expect(await keysOf(customer)).toHaveLength(1);
    }
  });
});
