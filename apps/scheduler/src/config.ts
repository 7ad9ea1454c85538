import { auto, duration, everyProcess, flag, integer, list, notAbove, oneOf, text, url } from '@cairn/config';
import { z } from 'zod';
import { isCronPattern, MISSED, type Missed } from './job.ts';

const cron = (meaning: string, fallback: string) =>
  text(meaning, fallback)
    .refine(isCronPattern, { error: 'expected a cron pattern with seconds first, like "*/10 * * * * *"' })
    .meta({ description: `${meaning} (cron, seconds first, UTC)` });

const missed = (job: string, fallback: Missed) =>
  oneOf(`what becomes of ticks of ${job} that nobody announced in time`, MISSED, fallback);

/** Every variable that the scheduler reads. `node main.js config` prints what is in force. */
const variables = z
  .object({
    ...everyProcess({
      DEPLOYMENT_ENVIRONMENT: 'production',
      SERVICE_VERSION: '',
      HOST: '0.0.0.0',
      PORT: 3005,
      METRICS_PORT: 9464,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'auto',
      OTEL_SDK_DISABLED: false,
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      OTEL_TRACES_SAMPLER_ARG: 1,
      DRAIN_MS: 2000,
      SHUTDOWN_DEADLINE_MS: 30_000,
    }),
    DATABASE_URL: url(
      'database of the scheduler',
      ['postgres', 'postgresql'],
      { development: 'postgres://cairn:cairn@127.0.0.1:15432/scheduler' },
      { needs: ['user', 'path'] },
    ),
    DATABASE_POOL_MAX: auto('connections to the database; auto follows the CPUs of the container', {
      min: 1,
      max: 200,
    }),
    KAFKA_BROKERS: list(
      'host:port of the brokers',
      { development: ['127.0.0.1:19092'] },
      { of: 'host:port' },
    ),
    KAFKA_TLS: flag('whether brokers are reached by TLS, with certificates that Node trusts', false),
    KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
    KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
    EXPIRE_UNPAID_ORDERS: cron('when unpaid orders are looked at', '*/10 * * * * *'),
    EXPIRE_UNPAID_ORDERS_MISSED: missed('expire-unpaid-orders', 'once'),
    RECONCILE_PAYMENTS: cron('when unsettled payments are asked about', '*/30 * * * * *'),
    RECONCILE_PAYMENTS_MISSED: missed('reconcile-payments', 'once'),
    CLEAN_UP: cron('when every service forgets what it need not keep', '0 0 * * * *'),
    CLEAN_UP_MISSED: missed('clean-up', 'skip'),
    CLOSE_SALES_DAY: cron('when the day before is reported', '0 5 0 * * *'),
    CLOSE_SALES_DAY_MISSED: missed('close-sales-day', 'all'),
    MISSED_GRACE_S: duration('how old a tick of a job with skip may be when it is announced', {
      min: 1,
      max: 86_400,
      default: 60,
      unit: 's',
    }),
    RUN_TIMEOUT_S: duration('how long the reports of a run are waited for before it is announced again', {
      min: 1,
      max: 86_400,
      default: 300,
      unit: 's',
    }),
    RUN_ATTEMPTS: integer('how often a run is announced at most, before it counts as failed', {
      min: 1,
      max: 100,
      default: 3,
    }),
    LOOK_MS: duration('how often it looks whether a job is due', {
      min: 10,
      max: 1000,
      default: 200,
      unit: 'ms',
    }),
    RUNS_KEEP_DAYS: duration('how long runs are remembered', {
      min: 1,
      max: 3650,
      default: 30,
      unit: 'days',
    }),
    OUTBOX_POLL_MS: duration('pause of the relay when the outbox is empty and it could not listen for news', {
      min: 1,
      max: 60_000,
      default: 100,
      unit: 'ms',
    }),
  })
  .meta({ service: 'scheduler', system: 'cairn' });

export const schema = notAbove(variables, 'DRAIN_MS', 'SHUTDOWN_DEADLINE_MS');

export type Config = z.infer<typeof schema>;
