import { DataSource } from 'typeorm';
import { CreatePayments1763700000000 } from '../migrations/1763700000000-create-payments.ts';
import { AddMessageOrder1763900000000 } from '../migrations/1763900000000-add-message-order.ts';
import { AddRefunding1763900000002 } from '../migrations/1763900000002-add-refunding.ts';
import { AddPaymentVersions1763900000001 } from '../migrations/1763900000001-add-payment-versions.ts';

/** The database of payments. Nothing is synchronised or migrated when a process starts; `migrate` does that. */
export function createDataSource(config: { DATABASE_URL: string; DATABASE_POOL_MAX: number }): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_MAX,
    connectTimeoutMS: 3000,
    applicationName: 'payments',
    extra: { statement_timeout: 10_000, idle_in_transaction_session_timeout: 10_000 },
    migrations: [
      CreatePayments1763700000000,
      AddMessageOrder1763900000000,
      AddPaymentVersions1763900000001,
      AddRefunding1763900000002,
    ],
    installExtensions: false,
  });
}
