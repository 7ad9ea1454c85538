import { parseConfig } from '@cairn/config';
import { schema, type Config } from './config.ts';

export const REQUIRED = {
  DEPLOYMENT_ENVIRONMENT: 'test',
  KAFKA_BROKERS: 'unused:9092',
  S3_ENDPOINT: 'http://unused',
  S3_ACCESS_KEY_ID: 'unused',
  S3_SECRET_ACCESS_KEY: 'unused',
};

/** For specs: the configuration that this environment gives, over the defaults. */
export const aConfig = (env: Record<string, string> = {}): Config =>
  parseConfig(schema, { ...REQUIRED, ...env });
