import { feature, guarded, integer, list, oneOf, port, text, url, withoutMistakes } from '@cairn/config';
import { knownMistakes } from '@cairn/resilience';
import { z } from 'zod';

/** Every variable that notifications reads. `node main.js config` prints what is in force. */
const variables = z.object({
  HOST: text('address it listens on', '0.0.0.0'),
  PORT: port('port for HTTP and probes', 3003),
  LOG_LEVEL: oneOf('least severity that is logged', ['trace', 'debug', 'info', 'warn', 'error'], 'info'),
  DATABASE_URL: url('database of notifications', ['postgres', 'postgresql']),
  DATABASE_POOL_MAX: integer('connections to the database', { min: 1, max: 200, default: 10 }),
  KAFKA_BROKERS: list('host:port of the brokers'),
  JWKS_URL: url("where the token issuer's public keys are", ['http', 'https']),
  JWT_ISSUER: text('issuer that tokens must name'),
  JWT_AUDIENCE: text('audience that tokens must name', 'cairn'),
  SMTP_URL: url('mail server', ['smtp', 'smtps']),
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
  INBOX_KEEP_DAYS: integer("how long handled messages are remembered; above the broker's retention", {
    min: 1,
    default: 14,
    unit: 'days',
  }),
  DRAIN_MS: integer('how long it serves on after readiness turned 503', {
    min: 0,
    default: 2000,
    unit: 'ms',
  }),
});

export const schema = withoutMistakes(variables, knownMistakes);

export type Config = z.infer<typeof schema>;
