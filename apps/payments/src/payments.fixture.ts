import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { aConfig } from './config.fixture.ts';
import { createDataSource } from './data-source.factory.ts';
import { GatewayClient } from './gateway.client.ts';
import type { Gateway } from './gateway.fixture.ts';
import { PaymentsRepository } from './payments.repository.ts';
import { PaymentsService } from './payments.service.ts';
import { ReconciliationService, type Found } from './reconciliation.service.ts';

const env = (name: string) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; "npm test" sets it`);
  return value;
};

export const anOrder = (cardToken = 'tok_visa') => ({
  orderId: randomUUID(),
  customerId: 'ada',
  total: 2100,
  currency: 'EUR',
  cardToken,
});
export type Order = ReturnType<typeof anOrder>;

const SETTINGS = { RECONCILE_AFTER_S: 60, RECONCILE_WINDOW_S: 3600, RECONCILE_TELL_AGAIN_S: 900 };

/** For specs: payments on a PostgreSQL database of its own. */
export function onEngines() {
  const database = `payments_${randomUUID().replaceAll('-', '')}`;
  const server = new DataSource({ type: 'postgres', url: env('POSTGRES_URL'), installExtensions: false });
  const url = Object.assign(new URL(env('POSTGRES_URL')), { pathname: `/${database}` });
  const dataSource = createDataSource({ DATABASE_URL: url.href, DATABASE_POOL_MAX: 10 });
  const repository = new PaymentsRepository(dataSource);
  const rows = <T = Record<string, unknown>>(sql: string, ...parameters: unknown[]) =>
    dataSource.query<T[]>(sql, parameters);

  /** A process of its own, as far as gateway and database can tell; `inS` sets its clock forward. */
  const aProcess = (gateway: Gateway, { payments = repository, inS = 0, timeoutMs = 5000 } = {}) => {
    const client = new GatewayClient(
      aConfig({
        GATEWAY_URL: gateway.url,
        GATEWAY_TIMEOUT_MS: String(timeoutMs),
        GATEWAY_ATTEMPTS: '1',
        GATEWAY_BREAKER_WINDOW_CALLS: '100',
        GATEWAY_BREAKER_MIN_CALLS: '100',
      }),
    );
    const now = () => new Date(Date.now() + inS * 1000);
    const service = new PaymentsService(payments, client, now);
    const found: Found[] = [];
    const options = { settings: SETTINGS, now, onFound: (one: Found) => void found.push(one) };
    const reconciliation = new ReconciliationService(payments, client, service, options);
    return { service, found, reconcile: () => reconciliation.run() };
  };

  return {
    dataSource,
    repository,
    rows,
    aProcess,
    aService: (...of: Parameters<typeof aProcess>) => aProcess(...of).service,
    paymentOf: ({ orderId }: Order) => repository.ofOrder(orderId),
    announced: async ({ orderId }: Order) => {
      const sql = 'SELECT event FROM outbox WHERE key = $1 ORDER BY id';
      const events = await rows<{ event: { type: string; sequence: string; data: object } }>(sql, orderId);
      return events.map(({ event }) => event);
    },
    open: async () => {
      await server.initialize();
      await server.query(`CREATE DATABASE ${database}`);
      await dataSource.initialize();
      await dataSource.runMigrations();
    },
    close: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      if (!server.isInitialized) return;
      await server.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      await server.destroy();
    },
  };
}
