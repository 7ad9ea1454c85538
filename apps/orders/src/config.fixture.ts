import { parseConfig } from '@cairn/config';
import { schema, type Config } from './config.ts';

export const REQUIRED = {
  DATABASE_URL: 'postgres://unused',
  REDIS_URL: 'redis://unused',
  KAFKA_BROKERS: 'unused:9092',
  JWKS_URL: 'http://unused',
  JWT_ISSUER: 'unused',
  PAYMENTS_URL: 'http://unused',
};

/** For specs: the configuration that this environment gives, over the defaults. */
export const aConfig = (env: Record<string, string> = {}): Config =>
  parseConfig(schema, { ...REQUIRED, ...env });
