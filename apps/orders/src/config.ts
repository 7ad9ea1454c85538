import { feature, guarded, integer, list, oneOf, port, text, url, withoutMistakes } from '@cairn/config';
import { knownMistakes } from '@cairn/resilience';
import { z } from 'zod';

/** Every variable that orders reads. `node main.js config` prints what is in force. */
const variables = z.object({
  HOST: text('address it listens on', '0.0.0.0'),
  PORT: port('port for HTTP and probes', 3001),
  LOG_LEVEL: oneOf('least severity that is logged', ['trace', 'debug', 'info', 'warn', 'error'], 'info'),
  DATABASE_URL: url('database of orders', ['postgres', 'postgresql']),
  DATABASE_POOL_MAX: integer('connections to the database', { min: 1, max: 200, default: 10 }),
  REDIS_URL: url('store of drafts', ['redis', 'rediss']),
  KAFKA_BROKERS: list('host:port of the brokers'),
  KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
  KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
  JWKS_URL: url("where the token issuer's public keys are", ['http', 'https']),
  JWT_ISSUER: text('issuer that tokens must name'),
  JWT_AUDIENCE: text('audience that tokens must name', 'cairn'),
  PAYMENTS_URL: url('payments, asked for what an order is expanded with', ['http', 'https']),
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
  DRAFT_TTL_S: integer('how long a draft is kept', { min: 1, default: 3600, unit: 's' }),
  ORDER_EXPIRES_AFTER_S: integer('how long an order may stay unpaid', { min: 1, default: 900, unit: 's' }),
  IDEMPOTENCY_KEEP_DAYS: integer('how long replies are kept for replays', {
    min: 1,
    default: 2,
    unit: 'days',
  }),
  INBOX_KEEP_DAYS: integer("how long handled messages are remembered; above the broker's retention", {
    min: 1,
    default: 14,
    unit: 'days',
  }),
  OUTBOX_POLL_MS: integer('pause of the relay when the outbox is empty', {
    min: 1,
    default: 50,
    unit: 'ms',
  }),
  DRAIN_MS: integer('how long it serves on after readiness turned 503', {
    min: 0,
    default: 2000,
    unit: 'ms',
  }),
});

export const schema = withoutMistakes(variables, knownMistakes);

export type Config = z.infer<typeof schema>;
