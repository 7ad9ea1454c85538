import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { createDataSource } from './data-source.factory.ts';
import { DraftsStore } from './drafts.store.ts';
import { OrdersRepository } from './orders.repository.ts';
import type { OrderView } from './orders.schemas.ts';
import { OrdersService } from './orders.service.ts';

const env = (name: string) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; "npm test" sets it`);
  return value;
};

export const settings = { DRAFT_TTL_S: 60, ORDER_EXPIRES_AFTER_S: 900 };
export const line = (unitPrice = 450, quantity = 2) => ({ sku: 'TEA', name: 'Tea', quantity, unitPrice });
export const aBasket = (lines = [line()], currency = 'EUR') => ({
  email: 'ada@example.com',
  currency,
  lines,
});
export const aKey = () => randomUUID();

/**
 * For specs: orders on a PostgreSQL database of its own and in its own corner of a Redis that others use too. Whoever waits
 * for a lock gets it, however busy the machine is, unless a spec is about that time-out.
 */
export function onEngines({ lockTimeoutMs = 9000 } = {}) {
  const database = `orders_${randomUUID().replaceAll('-', '')}`;
  const corner = `spec-${randomUUID()}`;
  const server = new DataSource({ type: 'postgres', url: env('POSTGRES_URL'), installExtensions: false });
  const url = Object.assign(new URL(env('POSTGRES_URL')), { pathname: `/${database}` });
  const dataSource = createDataSource({
    DATABASE_URL: url.href,
    DATABASE_POOL_MAX: 25,
    DATABASE_LOCK_TIMEOUT_MS: lockTimeoutMs,
  });
  const redis = new Redis(env('REDIS_URL'), { lazyConnect: true });
  const repository = new OrdersRepository(dataSource);
  const drafts = new DraftsStore(redis);
  const at = (time: string) => new OrdersService(repository, drafts, settings, () => new Date(time));
  const service = new OrdersService(repository, drafts, settings);

  const rows = <T = Record<string, unknown>>(sql: string, ...parameters: unknown[]) =>
    dataSource.query<T[]>(sql, parameters);
  const aCustomer = () => `${corner}-${randomUUID()}`;
  const aDraft = async (customer: string, basket = aBasket()) => {
    const draftId = randomUUID();
    await service.saveDraft(customer, draftId, basket);
    return { draftId, cardToken: 'tok_visa' };
  };

  return {
    dataSource,
    redis,
    repository,
    drafts,
    service,
    /** The service at another time. */
    at,
    rows,
    aCustomer,
    aDraft,
    anOrder: async (customer = aCustomer(), { basket = aBasket(), by = service } = {}) => {
      const { body } = await by.confirm(customer, aKey(), await aDraft(customer, basket));
      return { customer, view: JSON.parse(body) as OrderView };
    },
    /** The types of the events about an order, in the order in which they will be published. */
    announced: async (orderId: string) => {
      const sql = `SELECT event ->> 'type' AS type FROM outbox WHERE key = $1 ORDER BY id`;
      return (await rows<{ type: string }>(sql, orderId)).map(({ type }) => type);
    },
    /** Their numbers. */
    numbered: async (orderId: string) => {
      const sql = `SELECT event ->> 'sequence' AS sequence FROM outbox WHERE key = $1 ORDER BY id`;
      return (await rows<{ sequence: string }>(sql, orderId)).map(({ sequence }) => sequence);
    },
    draftsLeft: () => redis.keys(`draft:${corner}*`),
    open: async () => {
      await Promise.all([server.initialize(), redis.connect()]);
      await server.query(`CREATE DATABASE ${database}`);
      await dataSource.initialize();
      await dataSource.runMigrations();
    },
    close: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      if (server.isInitialized) {
        await server.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
        await server.destroy();
      }
      const left = redis.status === 'ready' ? await redis.keys(`draft:${corner}*`) : [];
      if (left.length) await redis.del(left);
      redis.disconnect();
    },
  };
}
