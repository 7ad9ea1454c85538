import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  ConfigError,
  flag,
  integer,
  list,
  maskedConfig,
  oneOf,
  parseConfig,
  port,
  secret,
  secretsOf,
  share,
  text,
  url,
} from './index.ts';
import { inspect } from 'node:util';

const schema = z.object({
  PORT: port('where it listens', 3000),
  POOL_MAX: integer('connections', { min: 1, max: 50 }),
  DATABASE_URL: url('its database', ['postgres']),
  API_KEY: secret('key of the gateway'),
  BROKERS: list('brokers', ['localhost:9092']),
  LOG_LEVEL: oneOf('how much is logged', ['info', 'debug'], 'info'),
  RECEIPTS: flag('whether receipts are sent', true),
});
const good = { POOL_MAX: '5', DATABASE_URL: 'postgres://u:hunter2@db/x', API_KEY: 'k-canary' };

const problemsOf = (env: Record<string, string>) => {
  try {
    parseConfig(schema, env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
};

describe('parseConfig', () => {
  it('fills in defaults and parses numbers, lists and flags', () => {
    expect(parseConfig(schema, { ...good, BROKERS: 'a:1, b:2', RECEIPTS: 'false' })).toEqual({
      PORT: 3000,
      POOL_MAX: 5,
      DATABASE_URL: good.DATABASE_URL,
      API_KEY: 'k-canary',
      BROKERS: ['a:1', 'b:2'],
      LOG_LEVEL: 'info',
      RECEIPTS: false,
    });
  });

  it('lists every problem at once', () => {
    const problems = problemsOf({ PORT: '99999', POOL_MAX: '0', DATABASE_URL: 'mysql://x', RECEIPTS: '0' });
    expect(problems.map((p) => p.variable)).toEqual([
      'PORT',
      'POOL_MAX',
      'DATABASE_URL',
      'API_KEY',
      'RECEIPTS',
    ]);
  });

  it('treats an empty variable as missing', () => {
    expect(problemsOf({ ...good, API_KEY: '' })).toMatchObject([{ variable: 'API_KEY', problem: 'missing' }]);
  });

  it.each(['1.5', '1e3', '0x10', ' 5', 'five'])('refuses %j as a whole number instead of guessing', (bad) => {
    expect(problemsOf({ ...good, POOL_MAX: bad })).toHaveLength(1);
  });

  it('never prints a secret or the password of a URL', () => {
    const problems = problemsOf({ POOL_MAX: 'x', DATABASE_URL: 'http//u:hunter2@db', API_KEY: 'k-canary' });
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|canary/);
    expect(JSON.stringify(maskedConfig(schema, parseConfig(schema, good)))).not.toMatch(/hunter2|canary/);
  });

  it.each(['TRUE', 'True', '1', 'yes', 'on'])('refuses %j as a flag, and says that it is true', (given) => {
    expect(problemsOf({ ...good, RECEIPTS: given })).toMatchObject([{ fix: 'write true' }]);
  });

  it.each([
    ['LOG_LEVEL', 'debg', 'write debug'],
    ['LOG_LEVEL', 'deb', 'write debug'],
    ['LOG_LEVEL', 'loud', 'correct it, or unset it for its default'],
    ['POOL_MAX', '51', 'correct it'],
    ['BROKERS', 'a:1,', 'take out the comma that has no item beside it'],
    ['BROKERS', 'a:1\nb:2', 'take out the line breaks and control characters'],
    ['API_KEY', 'key\n', 'take out the white space around it'],
  ])('says what to do about %s=%j', (variable, given, fix) => {
    expect(problemsOf({ ...good, [variable]: given })).toMatchObject([{ variable, fix }]);
  });

  it.each([
    ['0', 0],
    ['1', 1],
    ['0.25', 0.25],
    ['1.1', undefined],
    ['.5', undefined],
    ['10%', undefined],
  ])('takes %j for a share of %j', (given, value) => {
    const ratio = z.object({ RATIO: share('ratio') });
    if (value === undefined) expect(() => parseConfig(ratio, { RATIO: given })).toThrow(ConfigError);
    else expect(parseConfig(ratio, { RATIO: given })).toEqual({ RATIO: value });
  });

  it('gives a configuration that is printed masked by whoever logs it', () => {
    const config = parseConfig(schema, good);
    expect(config.API_KEY).toBe('k-canary');
    expect(JSON.stringify({ config })).not.toMatch(/hunter2|canary/);
    expect(inspect({ config })).not.toMatch(/hunter2|canary/);
    expect({ ...config }).toEqual(config);
  });

  it('tells its secrets to whoever takes them out of logs', () => {
    const env = { ...good, DATABASE_URL: 'postgres://u:p%40ss@db/x?sslpassword=inner&sslmode=require' };
    expect(secretsOf(schema, parseConfig(schema, env))).toEqual(['p%40ss', 'p@ss', 'inner', 'k-canary']);
    expect(secretsOf(schema, parseConfig(schema, { ...good, DATABASE_URL: 'postgres://db/x' }))).toEqual([
      'k-canary',
    ]);
  });
});

describe('a URL', () => {
  const urls = z.object({
    WEB: url('web', ['http', 'https'], ''),
    DB: url('database', ['postgres'], '', { needs: ['user', 'path'] }),
    CACHE: url('cache', ['redis', 'rediss'], ''),
  });
  it.each([
    ['WEB', 'https://a.example:8443/x?y=z'],
    ['WEB', 'http://[::1]:80'],
    ['DB', 'postgres://app@db/x'],
    ['DB', 'postgres://app:p%40%2F@db:5432/x?sslmode=require'],
    ['CACHE', 'rediss://:pass@cache:6380/0'],
  ])('%s=%s is one', (variable, given) => {
    expect(parseConfig(urls, { [variable]: given })).toMatchObject({ [variable]: given });
  });

  it.each([
    ['WEB', 'a.example', 'begin it with http://'],
    ['WEB', 'ftp://a.example', 'begin it with http:// or https://'],
    ['WEB', 'https://u@a.example', 'take user and password out'],
    ['WEB', 'https:// a.example', 'take out the white space'],
    ['DB', 'postgres:///x', 'name the host'],
    ['DB', 'postgres://db/x', 'name the user before the host: user:password@host'],
    ['DB', 'postgres://u:p@db/', 'name what comes after the host: host/name'],
    ['DB', 'postgres://u:p/@db/x', 'percent-encode : / ? # @ in user and password, and mind the port'],
    ['DB', 'postgres://u:1?@db/x', 'percent-encode : / ? # @ in user and password'],
    ['CACHE', 'redis://cache:99999', 'percent-encode : / ? # @ in user and password, and mind the port'],
  ])('%s=%s is none', (variable, given, fix) => {
    expect(() => parseConfig(urls, { [variable]: given })).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ variable, fix })] }) as never,
    );
  });

  it.each([
    ['postgres://app:hunter2@db/x', 'postgres://app:********@db/x'],
    ['postgres://hunter2@db/x', 'postgres://********@db/x'],
    ['postgres://db/x?password=hunter2&a=b', 'postgres://db/x?password=********&a=b'],
    ['postgres://app:1/hunter2@db/x', '********'],
    ['hunter2', '********'],
    ['http://a.example', 'http://a.example'],
    ['', ''],
  ])('%s is printed as %s', (given, printed) => {
    expect(maskedConfig(urls, { WEB: '', DB: given, CACHE: '' })).toMatchObject({ DB: printed });
  });

  it('in a list is printed without its password, too', () => {
    const lists = z.object({ HOSTS: list('hosts'), NAME: text('name') });
    const config = parseConfig(lists, { HOSTS: 'x://u:hunter2@a,x://b', NAME: 'x://u:hunter2@a' });
    expect(maskedConfig(lists, config)).toEqual({
      HOSTS: ['x://********@a', 'x://b'],
      NAME: 'x://********@a',
    });
  });
});

describe('the table of problems', () => {
  it('has a row for each, and nothing of a value begins a line', () => {
    const env = {
      ...good,
      PORT: '1\n  POOL_MAX  fine',
      LOG_LEVEL: '\u001b[2J\u202e',
      POOL_MX: '1',
      RECEIPT: '',
    };
    expect(messageOf(env)).toBe(`The environment has 3 problems:

  variable   from         expected                     got                  how to fix it
  PORT       environment  a port from 0 to 65535       1\\n  POOL_MAX  fine  correct it, or unset it for its default
  POOL_MAX   not set      a whole number from 1 to 50  (not set)            POOL_MX is set: did you mean POOL_MAX?
  LOG_LEVEL  environment  one of info, debug           \\u{1b}[2J\\u{202e}    correct it, or unset it for its default`);
  });
});

function messageOf(env: Record<string, string>): string {
  try {
    parseConfig(schema, { ...env, POOL_MAX: undefined });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
