import { parseConfig } from '@cairn/config';
import { schema, type Config } from './config.ts';

export const REQUIRED = {
  DEPLOYMENT_ENVIRONMENT: 'test',
  DATABASE_URL: 'postgres://nobody@unused/nothing',
  KAFKA_BROKERS: 'unused:9092',
  JWKS_URL: 'http://unused',
  JWT_ISSUER: 'unused',
  GATEWAY_URL: 'http://unused',
  GATEWAY_API_KEY: 'the-key',
};

/** For specs: the configuration that this environment gives, over the defaults. */
export const aConfig = (env: Record<string, string> = {}): Config =>
  parseConfig(schema, { ...REQUIRED, ...env });
