import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  ConfigError,
  everyProcess,
  integer,
  list,
  parseConfig,
  secret,
  url,
  type Environment,
  type ParseOptions,
} from './index.ts';

// Real: the files.
const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const schema = z.object({
  ...everyProcess({
    DEPLOYMENT_ENVIRONMENT: 'production',
    SERVICE_VERSION: '',
    HOST: '0.0.0.0',
    PORT: 3000,
    METRICS_PORT: 9464,
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'auto',
    OTEL_SDK_DISABLED: false,
    OTEL_EXPORTER_OTLP_ENDPOINT: '',
    OTEL_TRACES_SAMPLER_ARG: 1,
    DRAIN_MS: 2000,
    SHUTDOWN_DEADLINE_MS: 30_000,
  }),
  POOL_MAX: integer('connections', { default: 5 }),
  API_KEY: secret('a key', { development: 'development-key' }),
  DATABASE_URL: url('database', ['postgres'], { development: 'postgres://dev:dev-password@127.0.0.1/x' }),
  BROKERS: list('brokers', { development: ['127.0.0.1:1', '127.0.0.1:2'] }),
});
const own = { API_KEY: 'own-key', DATABASE_URL: 'postgres://own:own@db/x', BROKERS: 'a:1' };

function refused(env: Environment, options?: ParseOptions) {
  try {
    parseConfig(schema, { ...own, ...env }, options);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ variable, source, got }) => [variable, source, got]);
  }
}

describe('a file that holds a value', () => {
  it.each([
    ['without a line’s end', 'from-file', 'from-file'],
    ['with one', 'from-file\n', 'from-file'],
    ['with that of Windows', 'from-file\r\n', 'from-file'],
    ['with the mark of an editor', '\ufefffrom-file\n', 'from-file'],
    [
      'of several lines',
      '-----BEGIN KEY-----\nx\n-----END KEY-----\n',
      '-----BEGIN KEY-----\nx\n-----END KEY-----',
    ],
  ])('is read: %s', (_, content, value) => {
    const env = { ...own, API_KEY: undefined, API_KEY_FILE: file('key', content) };
    expect(parseConfig(schema, env).API_KEY).toBe(value);
  });

  it('may hold the value of any variable', () => {
    expect(parseConfig(schema, { ...own, POOL_MAX_FILE: file('pool', '7\n') }).POOL_MAX).toBe(7);
  });

  it('is told by its path when it is bad, and what it holds never', () => {
    const folderInside = join(folder, 'inside');
    mkdirSync(folderInside);
    const cases: [string, string][] = [
      [join(folder, 'none'), 'no such file'],
      [folderInside, 'no regular file'],
      ['/dev/zero', 'no regular file'],
      [file('empty', '\n'), 'an empty file'],
      [file('large', 'x'.repeat(2 ** 20 + 1)), 'a file of more than 1 MiB'],
      [file('binary', Buffer.from([0xc3, 0x28])), 'a file that is not in UTF-8'],
      [file('word', 'hunter2'), '********'],
    ];
    for (const [path, got] of cases)
      expect(refused({ POOL_MAX_FILE: path })).toEqual([['POOL_MAX', `file ${path}`, got]]);
  });

  it('that may not be read is told', () => {
    const readFile = () => {
      throw Object.assign(new Error('EACCES: hunter2'), { code: 'EACCES' });
    };
    expect(refused({ POOL_MAX_FILE: './x' }, { readFile })).toEqual([
      ['POOL_MAX', 'file ./x', 'a file that this process may not read'],
    ]);
  });

  it('is one source too many beside the variable itself, though not beside an empty one', () => {
    const path = file('key', 'x');
    expect(refused({ API_KEY_FILE: path })).toEqual([['API_KEY', `environment and file ${path}`, 'both']]);
    expect(refused({ API_KEY: '', API_KEY_FILE: path })).toEqual([]);
  });
});

describe('DEPLOYMENT_ENVIRONMENT', () => {
  const development = {
    API_KEY: 'development-key',
    DATABASE_URL: 'postgres://dev:dev-password@127.0.0.1/x',
    BROKERS: '127.0.0.1:1,127.0.0.1:2',
  };
  const NAMES = ['API_KEY', 'DATABASE_URL', 'BROKERS'];

  it('development has defaults of its own, which a variable that is set goes before', () => {
    const config = parseConfig(schema, { DEPLOYMENT_ENVIRONMENT: 'development', API_KEY: 'mine' });
    expect(config).toMatchObject({
      ...development,
      API_KEY: 'mine',
      BROKERS: ['127.0.0.1:1', '127.0.0.1:2'],
    });
  });

  it.each([undefined, '', 'production', 'PRODUCTION', 'developmnet'])('%j refuses them', (environment) => {
    const names = refused({ ...development, DEPLOYMENT_ENVIRONMENT: environment }).map(
      ([variable]) => variable,
    );
    expect(names.filter((name) => name !== 'DEPLOYMENT_ENVIRONMENT')).toEqual(NAMES);
    const missing = refused({
      API_KEY: '',
      DATABASE_URL: '',
      BROKERS: '',
      DEPLOYMENT_ENVIRONMENT: environment,
    });
    expect(missing.map(([variable]) => variable)).toEqual(expect.arrayContaining(NAMES));
  });

  it.each(['staging', 'production'])(
    '%s refuses the password of development under another name and at another host',
    (environment) => {
      const DEPLOYMENT_ENVIRONMENT = environment;
      expect(
        refused({ DEPLOYMENT_ENVIRONMENT, DATABASE_URL: 'postgres://other:dev-password@db/y' }),
      ).toHaveLength(1);
      expect(refused({ DATABASE_URL: 'postgres://dev:other@127.0.0.1/x' })).toEqual([]);
      expect(refused({ API_KEY: undefined, API_KEY_FILE: file('dev', 'development-key\n') })).toHaveLength(1);
    },
  );

  it('test neither has them nor refuses them', () => {
    expect(refused({ ...development, DEPLOYMENT_ENVIRONMENT: 'test' })).toEqual([]);
    expect(refused({ API_KEY: '', DEPLOYMENT_ENVIRONMENT: 'test' })).toHaveLength(1);
  });

  it('is production for a schema that does not know it', () => {
    const small = z.object({ API_KEY: secret('a key', { development: 'development-key' }) });
    expect(() => parseConfig(small, { DEPLOYMENT_ENVIRONMENT: 'development' })).toThrow(ConfigError);
    expect(() => parseConfig(small, { API_KEY: 'development-key' })).toThrow(ConfigError);
  });
});
