import { DataSource } from 'typeorm';
import { CreateOrders1763700000000 } from '../migrations/1763700000000-create-orders.ts';
import { AddMessageOrder1763900000000 } from '../migrations/1763900000000-add-message-order.ts';
import { AddOrderVersions1763900000001 } from '../migrations/1763900000001-add-order-versions.ts';

type Settings = { DATABASE_URL: string; DATABASE_POOL_MAX: number; DATABASE_LOCK_TIMEOUT_MS: number };

/** The database of orders. Nothing is synchronised or migrated when a process starts; `migrate` does that. */
export function createDataSource(config: Settings): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_MAX,
    connectTimeoutMS: 3000,
    applicationName: 'orders',
    extra: {
      statement_timeout: 10_000,
      idle_in_transaction_session_timeout: 10_000,
      // A request whose key, draft or order another transaction holds is told so, and does not hang on its connection.
      lock_timeout: config.DATABASE_LOCK_TIMEOUT_MS,
    },
    migrations: [CreateOrders1763700000000, AddMessageOrder1763900000000, AddOrderVersions1763900000001],
    installExtensions: false,
  });
}
