import { integer, list, oneOf, port, secret, text, url } from '@cairn/config';
import { z } from 'zod';

/** Every variable that payments reads. `node main.js config` prints what is in force. */
export const schema = z.object({
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
  GATEWAY_TIMEOUT_MS: integer('how long one call may take', { min: 1, max: 5000, default: 2000, unit: 'ms' }),
  GATEWAY_ATTEMPTS: integer('calls in all before the message is put back', { min: 1, max: 3, default: 3 }),
  GATEWAY_RETRY_BASE_MS: integer('bound of the first wait between calls', {
    min: 0,
    default: 100,
    unit: 'ms',
  }),
  GATEWAY_MAX_CONCURRENT: integer('calls at a time', { min: 1, default: 20 }),
  GATEWAY_BREAKER_FAILURES: integer('failures in a row that open the circuit', { min: 1, default: 5 }),
  GATEWAY_BREAKER_OPEN_MS: integer('how long the circuit stays open', { min: 1, default: 5000, unit: 'ms' }),
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
  OUTBOX_POLL_MS: integer('pause of the relay when the outbox is empty', { min: 1, default: 50, unit: 'ms' }),
  DRAIN_MS: integer('how long it serves on after readiness turned 503', {
    min: 0,
    default: 2000,
    unit: 'ms',
  }),
});

export type Config = z.infer<typeof schema>;
