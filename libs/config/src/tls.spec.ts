import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, integer, maskedConfig, parseConfig, path, secretsOf, tls, withTls } from './index.ts';

/** The files and the judge are played; the judge of this house is in @cairn/http/tls. */
const files: Record<string, string> = {
  '/tls/tls.crt': 'cert',
  '/tls/tls.key': 'key',
  '/tls/ca.crt': 'ca',
  './odd.crt': 'odd',
};
const readFile = (name: string) => {
  if (Object.hasOwn(files, name)) return files[name]!;
  throw Object.assign(new Error('no'), { code: name.includes('root') ? 'EACCES' : 'ENOENT' });
};
const schema = withTls(
  z.object({
    POOL_MAX: integer('connections', { default: 3 }),
    ...tls({ TLS_CERT_PATH: '', TLS_KEY_PATH: '', TLS_CA_PATH: '', TLS_ALLOWED_CLIENTS: [] }),
  }),
  ({ cert, key, ca }) =>
    `${cert} ${key} ${ca}` === 'cert key ca' ? [] : [{ of: 'cert', problem: 'is odd', fix: 'an even one' }],
  readFile,
);
const all = { TLS_CERT_PATH: '/tls/tls.crt', TLS_KEY_PATH: '/tls/tls.key', TLS_CA_PATH: '/tls/ca.crt' };

function problemsOf(env: Record<string, string>) {
  try {
    parseConfig(schema, env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ variable, expected, got, fix }) => [
      variable,
      expected,
      got,
      fix,
    ]);
  }
}

describe('the variables of TLS', () => {
  it('are empty when nothing is set, and then no file is read', () => {
    expect(parseConfig(schema, {})).toMatchObject({ TLS_CERT_PATH: '', TLS_ALLOWED_CLIENTS: [] });
  });

  it('are paths, and names of clients', () => {
    const env = { ...all, TLS_ALLOWED_CLIENTS: 'orders.shop, spiffe://shop/web' };
    expect(parseConfig(schema, env)).toEqual({
      ...{ ...all, POOL_MAX: 3 },
      TLS_ALLOWED_CLIENTS: ['orders.shop', 'spiffe://shop/web'],
    });
  });

  it.each([
    [{ TLS_CERT_PATH: '/tls/tls.crt' }, ['TLS_KEY_PATH', 'TLS_CA_PATH']],
    [{ TLS_CERT_PATH: '/tls/tls.crt', TLS_KEY_PATH: '/tls/tls.key' }, ['TLS_CA_PATH']],
    [{ TLS_CA_PATH: '/tls/ca.crt' }, ['TLS_CERT_PATH', 'TLS_KEY_PATH']],
    // A list of clients that nobody is held against would look like a guard.
    [{ TLS_ALLOWED_CLIENTS: 'orders' }, ['TLS_CERT_PATH', 'TLS_KEY_PATH', 'TLS_CA_PATH']],
  ])('are all set or none: %j lacks %j', (env, missing) => {
    expect(problemsOf(env)).toEqual(
      missing.map((name) => [
        name,
        'certificate, key and authorities, or none of TLS_',
        '(not set)',
        'set it as well, or unset the others',
      ]),
    );
  });

  it('name files that can be read; all that cannot are told, and what else is wrong, too', () => {
    const env = { ...all, TLS_KEY_PATH: '/root/tls.key', TLS_CA_PATH: '/nowhere', POOL_MAX: 'x' };
    expect(problemsOf(env)).toMatchObject([
      ['POOL_MAX', 'a whole number', 'x', expect.any(String)],
      [
        'TLS_KEY_PATH',
        'a file to read, and it is a file that this process may not read',
        '/root/tls.key',
        'set it to a file that this process may read',
      ],
      ['TLS_CA_PATH', 'a file to read, and it is no such file', '/nowhere', expect.any(String)],
    ]);
  });

  it('name files that the judge can work with', () => {
    expect(problemsOf({ ...all, TLS_CERT_PATH: './odd.crt' })).toEqual([
      ['TLS_CERT_PATH', 'a file that TLS can use; it is odd', './odd.crt', 'set it to an even one'],
    ]);
  });

  it('hide what is no path: it may be the key itself', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQ-canary\n-----END PRIVATE KEY-----';
    const told = problemsOf({ ...all, TLS_KEY_PATH: key });
    expect(told).toEqual([
      [
        'TLS_KEY_PATH',
        'the path of a file, such as /run/tls/tls.crt',
        '********',
        'begin it with / or ./; what the file holds stays in it',
      ],
    ]);
  });
});

describe('a path', () => {
  const one = z.object({ FILE: path('a file') });
  it.each(['/a', './a', '../a', 'C:\\a'])('%s is one, and is printed', (value) => {
    const config = parseConfig(one, { FILE: value });
    expect(maskedConfig(one, config)).toEqual({ FILE: value });
    expect(secretsOf(one, config)).toEqual([]);
  });

  it.each(['a', 'a/b', '~/a', '/a\nb'])('%j is none', (value) => {
    expect(() => parseConfig(one, { FILE: value })).toThrow(ConfigError);
  });
});
