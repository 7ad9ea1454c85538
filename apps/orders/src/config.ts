import {
  auto,
  duration,
  everyProcess,
  feature,
  flag,
  guarded,
  integer,
  list,
  text,
  url,
  notAbove,
  tls,
  withTls,
  withoutMistakes,
} from '@cairn/config';
import { certificateMistakes } from '@cairn/http/tls';
import { knownMistakes } from '@cairn/resilience';
import { z } from 'zod';

/** Every variable that orders reads. `node main.js config` prints what is in force. */
const variables = z
  .object({
    ...everyProcess({
      DEPLOYMENT_ENVIRONMENT: 'production',
      SERVICE_VERSION: '',
      HOST: '0.0.0.0',
      PORT: 3001,
      METRICS_PORT: 9464,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'auto',
      OTEL_SDK_DISABLED: false,
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      OTEL_TRACES_SAMPLER_ARG: 1,
      DRAIN_MS: 2000,
      SHUTDOWN_DEADLINE_MS: 30_000,
    }),
    ...tls({ TLS_CERT_PATH: '', TLS_KEY_PATH: '', TLS_CA_PATH: '', TLS_ALLOWED_CLIENTS: [] }),
    DATABASE_URL: url(
      'database of orders',
      ['postgres', 'postgresql'],
      { development: 'postgres://cairn:cairn@127.0.0.1:15432/orders' },
      { needs: ['user', 'path'] },
    ),
    DATABASE_POOL_MAX: auto('connections to the database; auto follows the CPUs of the container', {
      min: 1,
      max: 200,
    }),
    DATABASE_LOCK_TIMEOUT_MS: duration(
      'how long a statement waits for a row that another transaction holds',
      {
        min: 50,
        max: 9000,
        default: 2000,
        unit: 'ms',
      },
    ),
    REDIS_URL: url('store of drafts', ['redis', 'rediss'], { development: 'redis://127.0.0.1:16379' }),
    KAFKA_BROKERS: list(
      'host:port of the brokers',
      { development: ['127.0.0.1:19092'] },
      { of: 'host:port' },
    ),
    KAFKA_TLS: flag('whether brokers are reached by TLS, with certificates that Node trusts', false),
    KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
    KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
    JWKS_URL: url("where the token issuer's public keys are", ['http', 'https'], {
      development: 'http://127.0.0.1:14011/.well-known/jwks.json',
    }),
    JWT_ISSUER: text('issuer that tokens must name', { development: 'http://127.0.0.1:14011' }),
    JWT_AUDIENCE: text('audience that tokens must name', 'cairn'),
    PAYMENTS_URL: url('payments, asked for what an order is expanded with', ['http', 'https'], {
      development: 'http://127.0.0.1:13002',
    }),
    // An order goes out without its payment once the deadline is over.
    ...guarded('PAYMENTS', 'payments', {
      PAYMENTS_DEADLINE_MS: 800,
      PAYMENTS_ATTEMPTS: 2,
      PAYMENTS_RETRY_BASE_MS: 20,
      PAYMENTS_RETRY_MAX_MS: 100,
      PAYMENTS_RETRY_JITTER: 'full',
      PAYMENTS_BREAKER_WINDOW_CALLS: 20,
      PAYMENTS_BREAKER_FAILURE_PERCENT: 50,
      PAYMENTS_BREAKER_MIN_CALLS: 5,
      PAYMENTS_BREAKER_OPEN_MS: 2000,
      PAYMENTS_BREAKER_PROBES: 3,
      PAYMENTS_BREAKER_SUCCESSES: 2,
      PAYMENTS_RECOVERY_MS: 1000,
      PAYMENTS_MAX_CONCURRENT: 50,
      PAYMENTS_MAX_QUEUED: 50,
      PAYMENTS_TIMEOUT_MS: 350,
    }),
    FEATURE_PAYMENT_EXPANSION: feature('whether payments is asked for what an order is expanded with', true),
    DRAFT_TTL_S: duration('how long a draft is kept', { min: 1, max: 2_592_000, default: 3600, unit: 's' }),
    ORDER_EXPIRES_AFTER_S: duration('how long an order may stay unpaid', {
      min: 1,
      max: 2_592_000,
      default: 900,
      unit: 's',
    }),
    IDEMPOTENCY_KEEP_DAYS: duration(
      'how long replies are kept for replays; a day is what clients are promised',
      {
        min: 1,
        max: 365,
        default: 2,
        unit: 'days',
      },
    ),
    INBOX_KEEP_DAYS: duration("how long handled messages are remembered; above the broker's retention", {
      min: 1,
      max: 365,
      default: 14,
      unit: 'days',
    }),
    OUTBOX_POLL_MS: duration('pause of the relay when the outbox is empty and it could not listen for news', {
      min: 1,
      max: 60_000,
      default: 50,
      unit: 'ms',
    }),
  })
  .meta({ service: 'orders', system: 'cairn' });

export const schema = withTls(
  withoutMistakes(notAbove(variables, 'DRAIN_MS', 'SHUTDOWN_DEADLINE_MS'), knownMistakes),
  certificateMistakes,
);

export type Config = z.infer<typeof schema>;
