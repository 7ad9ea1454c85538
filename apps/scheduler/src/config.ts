import { integer, list, oneOf, port, text, url } from '@cairn/config';
import { z } from 'zod';
import { isCronPattern } from './job.ts';

const cron = (meaning: string, fallback: string) =>
  text(meaning, fallback)
    .refine(isCronPattern, { error: 'expected a cron pattern with seconds first, like "*/10 * * * * *"' })
    .meta({ description: `${meaning} (cron, seconds first, UTC)` });

/** Every variable that the scheduler reads. `node main.js config` prints what is in force. */
export const schema = z.object({
  HOST: text('address it listens on', '0.0.0.0'),
  PORT: port('port for probes', 3005),
  LOG_LEVEL: oneOf('least severity that is logged', ['trace', 'debug', 'info', 'warn', 'error'], 'info'),
  DATABASE_URL: url('database of the scheduler', ['postgres', 'postgresql']),
  DATABASE_POOL_MAX: integer('connections to the database', { min: 1, max: 200, default: 3 }),
  KAFKA_BROKERS: list('host:port of the brokers'),
  KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
  KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
  EXPIRE_UNPAID_ORDERS: cron('when unpaid orders are looked at', '*/10 * * * * *'),
  RECONCILE_PAYMENTS: cron('when unsettled payments are asked about', '*/30 * * * * *'),
  CLEAN_UP: cron('when every service forgets what it need not keep', '0 0 * * * *'),
  CLOSE_SALES_DAY: cron('when the day before is reported', '0 5 0 * * *'),
  LOOK_MS: integer('how often it looks whether a job is due', {
    min: 10,
    max: 1000,
    default: 200,
    unit: 'ms',
  }),
  RUNS_KEEP_DAYS: integer('how long runs are remembered', { min: 1, default: 30, unit: 'days' }),
  OUTBOX_POLL_MS: integer('pause of the relay when the outbox is empty', {
    min: 1,
    default: 100,
    unit: 'ms',
  }),
  DRAIN_MS: integer('how long it serves on after readiness turned 503', {
    min: 0,
    default: 2000,
    unit: 'ms',
  }),
});

export type Config = z.infer<typeof schema>;
