import { DataSource } from 'typeorm';
import { CreateNotifications1763700000000 } from '../migrations/1763700000000-create-notifications.ts';
import type { Config } from './config.ts';

/** The database of notifications. Nothing is synchronised or migrated when a process starts; `migrate` does that. */
export function createDataSource(config: Pick<Config, 'DATABASE_URL' | 'DATABASE_POOL_MAX'>): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_MAX,
    connectTimeoutMS: 3000,
    applicationName: 'notifications',
    extra: { statement_timeout: 10_000, idle_in_transaction_session_timeout: 10_000 },
    migrations: [CreateNotifications1763700000000],
    installExtensions: false,
  });
}
