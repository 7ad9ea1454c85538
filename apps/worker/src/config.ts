import {
  auto,
  duration,
  everyProcess,
  flag,
  guarded,
  integer,
  list,
  secret,
  text,
  url,
  notAbove,
  withoutMistakes,
} from '@cairn/config';
import { knownMistakes } from '@cairn/resilience';
import { z } from 'zod';

/** Every variable that the worker reads. `node main.js config` prints what is in force. */
const variables = z
  .object({
    ...everyProcess({
      DEPLOYMENT_ENVIRONMENT: 'production',
      SERVICE_VERSION: '',
      HOST: '0.0.0.0',
      PORT: 3004,
      METRICS_PORT: 9464,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'auto',
      OTEL_SDK_DISABLED: false,
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      OTEL_TRACES_SAMPLER_ARG: 1,
      DRAIN_MS: 2000,
      SHUTDOWN_DEADLINE_MS: 30_000,
    }),
    KAFKA_BROKERS: list(
      'host:port of the brokers',
      { development: ['127.0.0.1:19092'] },
      { of: 'host:port' },
    ),
    KAFKA_TLS: flag('whether brokers are reached by TLS, with certificates that Node trusts', false),
    KAFKA_PARTITIONS: integer('partitions of topics that migrate creates', { min: 1, default: 6 }),
    KAFKA_REPLICAS: integer('replicas of topics that migrate creates', { min: 1, default: 1 }),
    S3_ENDPOINT: url('object storage', ['http', 'https'], { development: 'http://127.0.0.1:19000' }),
    S3_PUBLIC_ENDPOINT: url(
      'object storage as customers reach it, for links; empty: S3_ENDPOINT',
      ['http', 'https'],
      '',
    ),
    S3_REGION: text('region that requests are signed for', 'us-east-1'),
    S3_ACCESS_KEY_ID: text('whose signature requests carry', { development: 'cairn' }),
    S3_SECRET_ACCESS_KEY: secret('what requests are signed with', { development: 'cairn-secret' }),
    S3_BUCKET: text('bucket of receipts and reports', 'cairn'),
    ...guarded('S3', 'object storage', {
      S3_DEADLINE_MS: 8000,
      S3_ATTEMPTS: 3,
      S3_RETRY_BASE_MS: 100,
      S3_RETRY_MAX_MS: 1000,
      S3_RETRY_JITTER: 'full',
      S3_BREAKER_WINDOW_CALLS: 20,
      S3_BREAKER_FAILURE_PERCENT: 50,
      S3_BREAKER_MIN_CALLS: 5,
      S3_BREAKER_OPEN_MS: 2000,
      S3_BREAKER_PROBES: 3,
      S3_BREAKER_SUCCESSES: 2,
      S3_RECOVERY_MS: 1000,
      S3_MAX_CONCURRENT: 8,
      S3_MAX_QUEUED: 100,
      S3_TIMEOUT_MS: 2000,
    }),
    RENDER_THREADS: auto('threads that render receipts; auto follows the CPUs of the container', {
      min: 1,
      max: 64,
    }),
    RENDER_MAX_QUEUED: integer('receipts that may wait for a thread', {
      min: 0,
      max: 100_000,
      default: 1000,
    }),
    RENDER_TIMEOUT_MS: duration('how long one receipt may take', {
      min: 1,
      max: 600_000,
      default: 5000,
      unit: 'ms',
    }),
  })
  .meta({ service: 'worker', system: 'cairn' });

export const schema = withoutMistakes(notAbove(variables, 'DRAIN_MS', 'SHUTDOWN_DEADLINE_MS'), knownMistakes);

export type Config = z.infer<typeof schema>;
