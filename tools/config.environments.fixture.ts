/**
 * Broken environments. Each is a good one of production, with these changes; every secret, every password in a URL and every
 * file in it holds the word "canary", which must be seen nowhere.
 */
export type Env = Record<string, string | undefined>;
export type Broken = {
  app: keyof typeof GOOD;
  is: string;
  env: Env;
  /** All variables that are told, in the schema's order. */
  told: string[];
  /** What some of the remedies say. */
  says?: string[];
};

const COMMON = {
  KAFKA_BROKERS: 'kafka-1.internal:9092,kafka-2.internal:9092',
};
const TOKENS = { JWKS_URL: 'https://id.example/jwks.json', JWT_ISSUER: 'https://id.example' };
export const database = (app: string) => `postgres://${app}:canary-database@db.internal:5432/${app}`;

/** An environment of production for each app. */
export const GOOD = {
  orders: {
    ...COMMON,
    ...TOKENS,
    DATABASE_URL: database('orders'),
    REDIS_URL: 'rediss://default:canary-redis@redis.internal',
    PAYMENTS_URL: 'http://payments:3002',
  },
  payments: {
    ...COMMON,
    ...TOKENS,
    DATABASE_URL: database('payments'),
    GATEWAY_URL: 'https://gateway.example',
    GATEWAY_API_KEY: 'canary-gateway-key',
  },
  notifications: {
    ...COMMON,
    ...TOKENS,
    DATABASE_URL: database('notifications'),
    SMTP_URL: 'smtps://mailer:canary-smtp@mail.internal',
  },
  worker: {
    ...COMMON,
    S3_ENDPOINT: 'https://s3.example',
    S3_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    S3_SECRET_ACCESS_KEY: 'canary-s3-secret',
  },
  scheduler: { ...COMMON, DATABASE_URL: database('scheduler') },
} satisfies Record<string, Env>;
