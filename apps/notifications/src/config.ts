import {
  auto,
  duration,
  everyProcess,
  feature,
  flag,
  guarded,
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

/** Every variable that notifications reads. `node main.js config` prints what is in force. */
const variables = z
  .object({
    ...everyProcess({
      DEPLOYMENT_ENVIRONMENT: 'production',
      SERVICE_VERSION: '',
      HOST: '0.0.0.0',
      PORT: 3003,
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
      'database of notifications',
      ['postgres', 'postgresql'],
      { development: 'postgres://cairn:cairn@127.0.0.1:15432/notifications' },
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
    JWKS_URL: url("where the token issuer's public keys are", ['http', 'https'], {
      development: 'http://127.0.0.1:14011/.well-known/jwks.json',
    }),
    JWT_ISSUER: text('issuer that tokens must name', { development: 'http://127.0.0.1:14011' }),
    JWT_AUDIENCE: text('audience that tokens must name', 'cairn'),
    SMTP_URL: url('mail server', ['smtp', 'smtps'], { development: 'smtp://127.0.0.1:11025' }),
    // No retry: a mail that may have been taken is not sent again at once. Its message comes again, under a lease.
    ...guarded('SMTP', 'the mail server', {
      SMTP_BREAKER_WINDOW_CALLS: 20,
      SMTP_BREAKER_FAILURE_PERCENT: 50,
      SMTP_BREAKER_MIN_CALLS: 5,
      SMTP_BREAKER_OPEN_MS: 5000,
      SMTP_BREAKER_PROBES: 3,
      SMTP_BREAKER_SUCCESSES: 2,
      SMTP_RECOVERY_MS: 2500,
      SMTP_MAX_CONCURRENT: 4,
      SMTP_MAX_QUEUED: 0,
      SMTP_TIMEOUT_MS: 5000,
    }),
    MAIL_FROM: text(
      'who e-mails come from; its domain is part of every Message-ID',
      'Cairn <orders@cairn.example>',
    )
      .refine((from) => /^[^\r\n]*@[\w.-]+>?$/.test(from), { error: 'expected "Name <address@domain>"' })
      .meta({ description: 'who e-mails come from; its domain is part of every Message-ID' }),
    FEATURE_HTML_MAIL: feature('for which customers an e-mail has an HTML part beside its text', '100%'),
    INBOX_KEEP_DAYS: duration("how long handled messages are remembered; above the broker's retention", {
      min: 1,
      max: 365,
      default: 14,
      unit: 'days',
    }),
  })
  .meta({ service: 'notifications', system: 'cairn' });

export const schema = withTls(
  withoutMistakes(notAbove(variables, 'DRAIN_MS', 'SHUTDOWN_DEADLINE_MS'), knownMistakes),
  certificateMistakes,
);

export type Config = z.infer<typeof schema>;
