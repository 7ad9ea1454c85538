import { describe, expect, it } from '@jest/globals';
import { decide, hostAndPort, masked, type ComposeAnswer } from './decide.ts';

const yes: ComposeAnswer = { usable: true, reason: 'Docker 20.10 answers' };
const no: ComposeAnswer = { usable: false, reason: 'no Docker engine answers within 3 s' };
const on = (env: NodeJS.ProcessEnv, compose = no, ports: 'fixed' | 'free' = 'fixed') =>
  decide('postgres', { env, compose, ports });

describe('which engine a stack uses', () => {
  it('is the one in the environment, even when compose is forced', () => {
    const env = { POSTGRES_URL: 'postgres://a@b/c', CAIRN_ENGINES: 'compose' };
    expect(on(env, yes)).toEqual({ how: 'attached', reason: 'POSTGRES_URL is set' });
  });

  it("is not decided by another engine's URL", () => {
    expect(on({ REDIS_URL: 'redis://x' })).toMatchObject({ how: 'native' });
  });

  it('is compose where an engine answers, else native with the reason why not', () => {
    expect(on({}, yes)).toEqual({ how: 'compose', reason: yes.reason });
    expect(on({}, no)).toEqual({ how: 'native', reason: no.reason });
  });

  it('is native for free ports, whatever Docker says', () => {
    expect(on({}, yes, 'free').how).toBe('native');
  });

  it('can be forced, and says why compose cannot be', () => {
    expect(on({ CAIRN_ENGINES: 'native' }, yes).how).toBe('native');
    expect(() => on({ CAIRN_ENGINES: 'compose' }, no)).toThrow(`CAIRN_ENGINES=compose, but ${no.reason}`);
    expect(() => on({ CAIRN_ENGINES: 'docker' }, no)).toThrow(
      'CAIRN_ENGINES must be native or compose, got docker',
    );
  });
});

describe('a URL', () => {
  it.each([
    ['postgres', 'postgres://u:p@db.internal/x', 'db.internal', 5432],
    ['redis', 'redis://[::1]:7000', '::1', 7000],
    ['kafka', 'one:9093,two:9094', 'one', 9093],
    ['s3', 'https://s3.example', 's3.example', 443],
    ['smtp', 'smtp://127.0.0.1:11025', '127.0.0.1', 11025],
  ] as const)('of %s (%s) leads to %s:%i', (engine, url, host, port) => {
    expect(hostAndPort(engine, url)).toEqual({ host, port });
  });

  it('is shown without its password', () => {
    expect(masked('postgres://cairn:secret@h:1/x')).toBe('postgres://cairn:***@h:1/x');
    expect(masked('redis://h:1')).toBe('redis://h:1');
  });
});
