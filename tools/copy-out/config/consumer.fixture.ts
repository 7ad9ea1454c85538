import {
  bytes,
  duration,
  feature,
  guarded,
  integer,
  oneOf,
  parseConfig,
  type ConfigError,
  type Problem,
} from '@cairn/config';
import { z } from 'zod';

/** Compiled by strangers, under their own options: what a schema holds must reach them as types. */
const schema = z.object({
  DRAIN_MS: duration('how long it serves on', { unit: 'ms', default: '2s' }),
  CACHE_MIB: bytes('what the cache may take', { unit: 'MiB', default: '64MiB' }),
  POOL_MAX: integer('connections', { min: 1, default: 10 }),
  LOG_LEVEL: oneOf('what is logged', ['info', 'debug'], 'info'),
  FEATURE_HTML_MAIL: feature('whether mails have a page', '25%'),
  ...guarded('MAIL', 'the mail server', { MAIL_TIMEOUT_MS: 2000 }),
});
const config = parseConfig(schema, {});

export const sum: number = config.DRAIN_MS + config.CACHE_MIB + config.POOL_MAX + config.MAIL_TIMEOUT_MS;
export const level: 'info' | 'debug' = config.LOG_LEVEL;
export const html: boolean | `${number}%` = config.FEATURE_HTML_MAIL;
export const variables = (error: ConfigError): string[] =>
  error.problems.map((problem: Problem) => problem.variable);

// @ts-expect-error There is no such variable: it would compile if the types were not found.
export const nothing: unknown = config.NOTHING;
