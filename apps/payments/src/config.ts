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
  tls,
  withTls,
  withoutMistakes,
} from '@cairn/config';
import { certificateMistakes } from '@cairn/http/tls';
import { knownMistakes } from '@cairn/resilience';
import { z } from 'zod';

/** Every variable that payments reads. `node main.js config` prints what is in force. */
const variables = z
  .object({
    ...everyProcess({
      DEPLOYMENT_ENVIRONMENT: 'production',
      SERVICE_VERSION: '',
      HOST: '0.0.0.0',
      PORT: 3002,
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
      'database of payments',
      ['postgres', 'postgresql'],
      { development: 'postgres://cairn:cairn@127.0.0.1:15432/payments' },
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
    JWKS_URL: url("where the token issuer's public keys are", ['http', 'https'], {
      development: 'http://127.0.0.1:14011/.well-known/jwks.json',
    }),
    JWT_ISSUER: text('issuer that tokens must name', { development: 'http://127.0.0.1:14011' }),
    JWT_AUDIENCE: text('audience that tokens must name', 'cairn'),
    GATEWAY_URL: url('the payment gateway', ['http', 'https'], { development: 'http://127.0.0.1:14010' }),
    GATEWAY_API_KEY: secret('our key at the payment gateway', { development: 'gateway-development-key' }),
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
    RECONCILE_AFTER_S: duration('age at which an unsettled payment is asked about', {
      min: 1,
      max: 86_400,
      default: 60,
      unit: 's',
    }),
    RECONCILE_WINDOW_S: duration("how far back the gateway's charges are compared", {
      min: 60,
      max: 31_536_000,
      default: 3600,
      unit: 's',
    }),
    RECONCILE_TELL_AGAIN_S: duration(
      'how long an order may take to move before its payment is announced again',
      {
        min: 1,
        max: 604_800,
        default: 900,
        unit: 's',
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
  .meta({ service: 'payments', system: 'cairn' });

export const schema = withTls(
  withoutMistakes(notAbove(variables, 'DRAIN_MS', 'SHUTDOWN_DEADLINE_MS'), knownMistakes),
  certificateMistakes,
);

export type Config = z.infer<typeof schema>;
