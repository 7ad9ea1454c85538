import { guarded, integer, list, oneOf, port, secret, text, url, withoutMistakes } from '@cairn/config';
import { knownMistakes } from '@cairn/resilience';
import { z } from 'zod';

/** Every variable that payments reads. `node main.js config` prints what is in force. */
const variables = z.object({
  HOST: text('address it listens on', '0.0.0.0'),
  PORT: port('port for HTTP and probes', 3002),
  LOG_LEVEL: oneOf('least severity that is logged', ['trace', 'debug', 'info', 'warn', 'error'], 'info'),
  DATABASE_URL: url('database of payments', ['postgres', 'postgresql']),
  DATABASE_POOL_MAX: integer('connections to the database', { min: 1, max: 200, default: 10 }),
  KAFKA_BROKERS: list('host:port of the brokers'),
  KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
  KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
  JWKS_URL: url("where the token issuer's public keys are", ['http', 'https']),
  JWT_ISSUER: text('issuer that tokens must name'),
  JWT_AUDIENCE: text('audience that tokens must name', 'cairn'),
  GATEWAY_URL: url('the payment gateway', ['http', 'https']),
  GATEWAY_API_KEY: secret('our key at the payment gateway'),
  ...guarded('GATEWAY', 'the payment gateway', {
    GATEWAY_DEADLINE_MS: 8000,
    GATEWAY_ATTEMPTS: 3,
    GATEWAY_RETRY_BASE_MS: 100,
    GATEWAY_RETRY_MAX_MS: 2000,
    GATEWAY_RETRY_JITTER: 'full',
    GATEWAY_BREAKER_WINDOW_CALLS: 20,
    GATEWAY_BREAKER_FAILURE_PERCENT: 50,
    GATEWAY_BREAKER_MIN_CALLS: 5,
    GATEWAY_BREAKER_OPEN_MS: 5000,
    GATEWAY_BREAKER_PROBES: 3,
    GATEWAY_BREAKER_SUCCESSES: 2,
    GATEWAY_RECOVERY_MS: 2500,
    GATEWAY_MAX_CONCURRENT: 20,
    GATEWAY_MAX_QUEUED: 20,
    GATEWAY_TIMEOUT_MS: 2000,
  }),
  RECONCILE_AFTER_S: integer('age at which an unsettled payment is asked about', {
    min: 1,
    default: 60,
    unit: 's',
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
