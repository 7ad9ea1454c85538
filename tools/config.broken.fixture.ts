import type { Broken, Env } from './config.environments.fixture.ts';
import { database } from './config.environments.fixture.ts';

const REQUIRED = ['DATABASE_URL', 'REDIS_URL', 'KAFKA_BROKERS', 'JWKS_URL', 'JWT_ISSUER', 'PAYMENTS_URL'];
const all = (names: string[], value: (name: string) => string | undefined): Env =>
  Object.fromEntries(names.map((name) => [name, value(name)]));

/** @param folder holds files of secrets */
export const brokenEnvironments = (folder: string): Broken[] => [
  ...orders(folder),
  ...payments(folder),
  ...notifications(),
  ...worker(),
  ...scheduler(folder),
];

const orders = (folder: string): Broken[] => {
  const url = (is: string, value: string, ...says: string[]) =>
    ({ app: 'orders', is, env: { DATABASE_URL: value }, told: ['DATABASE_URL'], says }) satisfies Broken;
  return [
    { app: 'orders', is: 'nothing at all', env: all(REQUIRED, () => undefined), told: REQUIRED },
    { app: 'orders', is: 'set to nothing', env: all(REQUIRED, () => ''), told: REQUIRED },
    { app: 'orders', is: 'placeholders', env: all(REQUIRED, (name) => `<${name}>`), told: REQUIRED },
    {
      app: 'orders',
      is: 'the defaults of development',
      env: {
        DATABASE_URL: 'postgres://cairn:cairn@127.0.0.1:15432/orders',
        REDIS_URL: 'redis://127.0.0.1:16379',
        KAFKA_BROKERS: '127.0.0.1:19092',
        JWKS_URL: 'http://127.0.0.1:14011/.well-known/jwks.json',
        JWT_ISSUER: 'http://127.0.0.1:14011',
        PAYMENTS_URL: 'http://127.0.0.1:13002',
      },
      told: REQUIRED,
      says: ["set this deployment's own"],
    },
    url('the password of development, elsewhere', 'postgres://cairn:cairn@db.internal/orders'),
    url('another scheme', 'mysql://orders:canary@db.internal/orders', 'postgres:// or postgresql://'),
    url('a URL without scheme', 'orders:canary@db.internal/orders', 'begin it with postgres://'),
    url('one slash too few', 'postgres:/orders:canary@db.internal/orders', 'begin it with postgres://'),
    url('no user', 'postgres://db.internal/orders?password=canary', 'name the user'),
    url('no database', 'postgres://orders:canary@db.internal', 'name what comes after the host'),
    url('a password with a slash', 'postgres://orders:canary/1@db.internal/orders', 'percent-encode'),
    url('a password like a port', 'postgres://orders:1234/canary@db.internal/orders', 'percent-encode'),
    url('a URL over two lines', 'postgres://orders:canary@db.internal\n/orders', 'take out the white space'),
    url('a password alone', 'canary-the-password-alone', 'begin it with postgres://'),
    {
      app: 'orders',
      is: 'a misspelling',
      env: { DATABASE_URL: undefined, DATABSE_URL: database('orders') },
      told: ['DATABASE_URL'],
      says: ['DATABSE_URL is set: did you mean DATABASE_URL?'],
    },
    {
      app: 'orders',
      is: 'small letters',
      env: { DATABASE_URL: undefined, database_url: database('orders') },
      told: ['DATABASE_URL'],
      says: ['database_url is set: did you mean DATABASE_URL?'],
    },
    {
      app: 'orders',
      is: 'no environment that there is',
      env: { DEPLOYMENT_ENVIRONMENT: 'prod' },
      told: ['DEPLOYMENT_ENVIRONMENT'],
      says: ['write production'],
    },
    {
      app: 'orders',
      is: 'user and password for the web',
      env: { JWKS_URL: 'https://u:canary@id.example/jwks', PAYMENTS_URL: 'http://:canary@payments' },
      told: ['JWKS_URL', 'PAYMENTS_URL'],
      says: ['take user and password out'],
    },
    {
      app: 'orders',
      is: 'units that do not fit',
      env: { DRAFT_TTL_S: '1500ms', IDEMPOTENCY_KEEP_DAYS: '36h', OUTBOX_POLL_MS: '50us', DRAIN_MS: '1.5' },
      told: ['DRAIN_MS', 'DRAFT_TTL_S', 'IDEMPOTENCY_KEEP_DAYS', 'OUTBOX_POLL_MS'],
      says: ['no whole number of s', 'no whole number of days', 'use ms, s, min, h or d', 'add the unit'],
    },
    {
      app: 'orders',
      is: 'policies that are wrong together',
      env: {
        PAYMENTS_BREAKER_OPEN_MS: '1s',
        PAYMENTS_BREAKER_SUCCESSES: '1',
        PAYMENTS_RETRY_JITTER: 'none',
        PAYMENTS_ATTEMPTS: 'unlimited',
        PAYMENTS_TIMEOUT_MS: '2s',
      },
      told: [
        'PAYMENTS_ATTEMPTS',
        'PAYMENTS_RETRY_JITTER',
        'PAYMENTS_BREAKER_OPEN_MS',
        'PAYMENTS_BREAKER_SUCCESSES',
        'PAYMENTS_TIMEOUT_MS',
      ],
      says: ['set PAYMENTS_BREAKER_OPEN_MS to at least 2000', 'set it to at most 800'],
    },
    {
      app: 'orders',
      is: 'a variable and its file',
      env: { REDIS_URL_FILE: `${folder}/key` },
      told: ['REDIS_URL'],
      says: ['unset one of them'],
    },
    {
      app: 'orders',
      is: 'numbers that are none',
      env: { KAFKA_PARTITIONS: '9'.repeat(400), KAFKA_REPLICAS: '0x3', DATABASE_POOL_MAX: '1e2' },
      told: ['DATABASE_POOL_MAX', 'KAFKA_PARTITIONS', 'KAFKA_REPLICAS'],
    },
  ];
};

const payments = (folder: string): Broken[] => {
  const file = (is: string, path: string, ...says: string[]) =>
    ({
      app: 'payments',
      is,
      env: { GATEWAY_API_KEY: undefined, GATEWAY_API_KEY_FILE: path },
      told: ['GATEWAY_API_KEY'],
      says,
    }) satisfies Broken;
  return [
    file('a file that is not there', `${folder}/nothing`, 'mount the file'),
    file('a folder for a file', folder, 'mount the file'),
    file('an empty file', `${folder}/empty`, 'write the value into it'),
    file('a file that is no text', `${folder}/binary`),
    file('a file with a line too many', `${folder}/two-ends`, 'take out the white space'),
    file('the secret where its path belongs', 'canary-gateway-key', 'a value belongs into GATEWAY_API_KEY'),
    file('the key where its path belongs', 'Y2FuYXJ5/canary+Y2FuYXJ5==', 'a value belongs into'),
    {
      app: 'payments',
      is: 'a bad URL in a file',
      env: { DATABASE_URL: undefined, DATABASE_URL_FILE: `${folder}/mysql` },
      told: ['DATABASE_URL'],
      says: ['begin it with'],
    },
    {
      app: 'payments',
      is: 'the secret where a word belongs',
      env: { LOG_LEVEL: 'canary-gateway-key' },
      told: ['LOG_LEVEL'],
    },
    {
      app: 'payments',
      is: 'a short key with a space, and a word in a file',
      env: { GATEWAY_API_KEY: 'canary ', LOG_LEVEL_FILE: `${folder}/word` },
      told: ['LOG_LEVEL', 'GATEWAY_API_KEY'],
    },
    {
      app: 'payments',
      is: 'the end of a line in the key',
      env: { GATEWAY_API_KEY: 'canary-gateway-key\r' },
      told: ['GATEWAY_API_KEY'],
      says: ['take out the white space'],
    },
    {
      app: 'payments',
      is: 'what Kubernetes says of a service "metrics"',
      env: { METRICS_PORT: 'tcp://10.0.0.1:9464', PAYMENTS_SERVICE_HOST: '10.0.0.1' },
      told: ['METRICS_PORT'],
      says: ['enableServiceLinks: false'],
    },
    {
      app: 'payments',
      is: 'ports that are none',
      env: { PORT: '-1', METRICS_PORT: '70000' },
      told: ['PORT', 'METRICS_PORT'],
    },
    {
      app: 'payments',
      is: 'other words for yes',
      env: { OTEL_SDK_DISABLED: 'TRUE', OTEL_TRACES_SAMPLER_ARG: '10%' },
      told: ['OTEL_SDK_DISABLED', 'OTEL_TRACES_SAMPLER_ARG'],
      says: ['write true', 'write 0.1 for 10 %'],
    },
    {
      app: 'payments',
      is: 'times out of bounds',
      env: { DRAIN_MS: '1d', SHUTDOWN_DEADLINE_MS: '30', RECONCILE_AFTER_S: '-1' },
      told: ['DRAIN_MS', 'SHUTDOWN_DEADLINE_MS', 'RECONCILE_AFTER_S'],
    },
  ];
};

const notifications = (): Broken[] => [
  {
    app: 'notifications',
    is: 'a header in the sender',
    env: { MAIL_FROM: 'Cairn <a@b.example>\r\nBcc: all@example.com' },
    told: ['MAIL_FROM'],
    says: ['take out the line breaks'],
  },
  { app: 'notifications', is: 'no sender', env: { MAIL_FROM: 'nobody' }, told: ['MAIL_FROM'] },
  {
    app: 'notifications',
    is: 'an item that is empty',
    env: { KAFKA_BROKERS: 'kafka-1:9092,,kafka-2:9092' },
    told: ['KAFKA_BROKERS'],
    says: ['take out the comma'],
  },
  {
    app: 'notifications',
    is: 'no mail server, and brokers that are URLs',
    env: { KAFKA_BROKERS: 'kafka://u:canary-smtp@kafka-1:9092', SMTP_URL: 'smtp://' },
    told: ['KAFKA_BROKERS', 'SMTP_URL'],
    says: ['host:port, without scheme'],
  },
  {
    app: 'notifications',
    is: 'characters that play with a terminal',
    env: {
      LOG_LEVEL: '\u001b[2J\u001b]0;info\u0007\r\n',
      JWT_ISSUER: 'https://\u202eelpmaxe.di',
      HOST: 'a\u2028b',
    },
    told: ['HOST', 'LOG_LEVEL'],
  },
  {
    app: 'notifications',
    is: 'a feature for more than all',
    env: { FEATURE_HTML_MAIL: '101%' },
    told: ['FEATURE_HTML_MAIL'],
  },
];

const worker = (): Broken[] => [
  {
    app: 'worker',
    is: 'keys of development',
    env: { S3_ACCESS_KEY_ID: 'cairn', S3_SECRET_ACCESS_KEY: 'cairn-secret' },
    told: ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
    says: ["set this deployment's own"],
  },
  {
    app: 'worker',
    is: 'no thread, and one more than there may be',
    env: { RENDER_THREADS: '0', RENDER_MAX_QUEUED: '100001' },
    told: ['RENDER_THREADS', 'RENDER_MAX_QUEUED'],
  },
  {
    app: 'worker',
    is: 'automatic',
    env: { RENDER_THREADS: 'AUTO' },
    told: ['RENDER_THREADS'],
    says: ['write auto'],
  },
  {
    app: 'worker',
    is: 'a value of 100,000 characters',
    env: { S3_BUCKET: `${'x'.repeat(100_000)}\n`, S3_REGION: '\t' },
    told: ['S3_REGION', 'S3_BUCKET'],
  },
];

const scheduler = (folder: string): Broken[] => [
  {
    app: 'scheduler',
    is: 'a drain that outlasts its deadline',
    env: { DRAIN_MS: '1min' },
    told: ['DRAIN_MS'],
    says: ['set it to at most 30000'],
  },
  {
    app: 'scheduler',
    is: 'patterns of time that are none',
    env: { CLEAN_UP: 'every hour', CLOSE_SALES_DAY: '61 * * * * *' },
    told: ['CLEAN_UP', 'CLOSE_SALES_DAY'],
  },
  { app: 'scheduler', is: 'a look too rare', env: { LOOK_MS: '2s' }, told: ['LOOK_MS'] },
  {
    app: 'scheduler',
    is: 'nearly everything',
    env: {
      DEPLOYMENT_ENVIRONMENT: 'preview',
      PORT: 'http',
      LOG_LEVEL: 'verbose',
      LOG_FORMAT: 'xml',
      OTEL_SDK_DISABLED: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
      DRAIN_MS: 'PT2S',
      DATABASE_URL: undefined,
      DATABASE_URL_FILE: `${folder}/nothing`,
      DATABASE_POOL_MAX: '201',
      KAFKA_BROKERS: ',',
      KAFKA_BROKER_LIST: 'canary:9092',
      RUNS_KEEP_DAYS: '0',
    },
    told: [
      'DEPLOYMENT_ENVIRONMENT',
      'PORT',
      'LOG_LEVEL',
      'LOG_FORMAT',
      'OTEL_SDK_DISABLED',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'DRAIN_MS',
      'DATABASE_URL',
      'DATABASE_POOL_MAX',
      'KAFKA_BROKERS',
      'RUNS_KEEP_DAYS',
    ],
  },
];
