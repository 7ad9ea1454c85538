import { integer, list, oneOf, port, text, url } from '@cairn/config';
import { z } from 'zod';

/** Every variable that notifications reads. `node main.js config` prints what is in force. */
export const schema = z.object({
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
  SMTP_TIMEOUT_MS: integer('how long sending one e-mail may take', { min: 1, default: 5000, unit: 'ms' }),
  MAIL_FROM: text(
    'who e-mails come from; its domain is part of every Message-ID',
    'Cairn <orders@cairn.example>',
  )
    .refine((from) => /^[^\r\n]*@[\w.-]+>?$/.test(from), { error: 'expected "Name <address@domain>"' })
    .meta({ description: 'who e-mails come from; its domain is part of every Message-ID' }),
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

export type Config = z.infer<typeof schema>;
