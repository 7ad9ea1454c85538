import { integer, list, oneOf, port, secret, text, url } from '@cairn/config';
import { z } from 'zod';

/** Every variable that the worker reads. `node main.js config` prints what is in force. */
export const schema = z.object({
  HOST: text('address it listens on', '0.0.0.0'),
  PORT: port('port for probes', 3004),
  LOG_LEVEL: oneOf('least severity that is logged', ['trace', 'debug', 'info', 'warn', 'error'], 'info'),
  KAFKA_BROKERS: list('host:port of the brokers'),
  KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
  KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
  S3_ENDPOINT: url('object storage', ['http', 'https']),
  S3_PUBLIC_ENDPOINT: url(
    'object storage as customers reach it, for links; empty: S3_ENDPOINT',
    ['http', 'https'],
    '',
  ),
  S3_REGION: text('region that requests are signed for', 'us-east-1'),
  S3_ACCESS_KEY_ID: text('whose signature requests carry'),
  S3_SECRET_ACCESS_KEY: secret('what requests are signed with'),
  S3_BUCKET: text('bucket of receipts and reports', 'cairn'),
  S3_TIMEOUT_MS: integer('how long one try of a request to S3 may take', {
    min: 1,
    default: 2000,
    unit: 'ms',
  }),
  RENDER_THREADS: integer('threads that render receipts', { min: 1, max: 64, default: 1 }),
  RENDER_TIMEOUT_MS: integer('how long one receipt may take', { min: 1, default: 5000, unit: 'ms' }),
  DRAIN_MS: integer('how long it goes on after readiness turned 503', {
    min: 0,
    default: 2000,
    unit: 'ms',
  }),
});

export type Config = z.infer<typeof schema>;
