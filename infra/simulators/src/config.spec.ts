import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.ts';

describe('the environment', () => {
  it('may be empty', () => {
    expect(readConfig({})).toEqual({
      HOST: '127.0.0.1',
      GATEWAY_PORT: 14_010,
      GATEWAY_API_KEY: 'gateway-development-key',
      ISSUER_PORT: 14_011,
      ISSUER_URL: 'http://127.0.0.1:14011',
      TRACES_PORT: 14_012,
      TRACES_MAX_SPANS: 20_000,
      LOG_LEVEL: 'info',
    });
  });

  it('is refused with every bad variable named at once, and no secret', () => {
    const env = {
      GATEWAY_PORT: '70000',
      ISSUER_PORT: 'x',
      GATEWAY_SEED: '-1',
      TRACES_MAX_SPANS: '0',
      LOG_LEVEL: 'loud',
      ISSUER_URL: 'ftp://x',
    };
    for (const name of Object.keys(env)) expect(() => readConfig(env)).toThrow(`${name}=`);
    expect(() => readConfig({ ...env, GATEWAY_API_KEY: '' })).toThrow('GATEWAY_API_KEY: must not be empty');
  });

  it('is refused in production', () => {
    expect(() => readConfig({ NODE_ENV: 'production' })).toThrow('for development only');
    expect(readConfig({ NODE_ENV: 'test' })).toMatchObject({ NODE_ENV: 'test' });
  });

  it('has no slash at the end of the issuer, for it is compared as text', () => {
    expect(readConfig({ ISSUER_URL: 'http://simulators:14011/' })).toMatchObject({
      ISSUER_URL: 'http://simulators:14011',
    });
  });
});
