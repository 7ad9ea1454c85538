import { DataSource } from 'typeorm';
import { CreateJobRuns1763700000000 } from '../migrations/1763700000000-create-job-runs.ts';
import { AddOutboxParking1763900000000 } from '../migrations/1763900000000-add-outbox-parking.ts';
import { ReportJobRuns1763900000100 } from '../migrations/1763900000100-report-job-runs.ts';

/** The database of the scheduler. Nothing is synchronised or migrated when a process starts; `migrate` does that. */
export function createDataSource(config: { DATABASE_URL: string; DATABASE_POOL_MAX: number }): DataSource {
  return new DataSource({
    type: 'postgres',
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_MAX,
    connectTimeoutMS: 3000,
    applicationName: 'scheduler',
    extra: { statement_timeout: 10_000, idle_in_transaction_session_timeout: 10_000 },
    migrations: [CreateJobRuns1763700000000, AddOutboxParking1763900000000, ReportJobRuns1763900000100],
    installExtensions: false,
  });
}
