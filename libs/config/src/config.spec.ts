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
  url,
} from './index.ts';

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
});
