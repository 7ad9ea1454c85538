import { parseConfig } from '@cairn/config';
import { schema, type Config } from './config.ts';

export const REQUIRED = {
  DEPLOYMENT_ENVIRONMENT: 'test',
  DATABASE_URL: 'postgres://nobody@unused/nothing',
  REDIS_URL: 'redis://unused',
  KAFKA_BROKERS: 'unused:9092',
  JWKS_URL: 'http://unused',
  JWT_ISSUER: 'unused',
  PAYMENTS_URL: 'http://unused',
};

/** For specs: the configuration that this environment gives, over the defaults. */
export const aConfig = (env: Record<string, string> = {}): Config =>
  parseConfig(schema, { ...REQUIRED, ...env });
