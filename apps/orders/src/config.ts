import { integer, list, oneOf, port, text, url } from '@cairn/config';
import { z } from 'zod';

/** Every variable that orders reads. `node main.js config` prints what is in force. */
export const schema = z.object({
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
  PAYMENTS_DEADLINE_MS: integer('how long an order waits for its payment before it goes out without', {
    min: 1,
    max: 10_000,
    default: 800,
    unit: 'ms',
  }),
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
  OUTBOX_POLL_MS: integer('pause of the relay when the outbox is empty', { min: 1, default: 50, unit: 'ms' }),
  DRAIN_MS: integer('how long it serves on after readiness turned 503', {
    min: 0,
    default: 2000,
    unit: 'ms',
  }),
});

export type Config = z.infer<typeof schema>;
