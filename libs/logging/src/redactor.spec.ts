import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRedactor, isSensitive } from './index.ts';

const { text, value } = createRedactor();
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEiLCJleHAiOjE3MDB9.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2g';
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc\n-----END RSA PRIVATE KEY-----';

describe('text', () => {
  it.each([
    ['a card number', 'paid with 4111111111111111 today', 'paid with [Redacted] today'],
    ['one in groups', 'card 5555 5555 5555 4444!', 'card [Redacted]!'],
    ['one with hyphens', '3782-822463-10005', '[Redacted]'],
    ['one of 13 digits', 'old 4222222222222.', 'old [Redacted].'],
    ['one of 19 digits', '6212345678900000003', '[Redacted]'],
    ['one right after letters', 'card4111111111111111', 'card[Redacted]'],
    ['one in a URL', '/cards/4111%201111%201111%201111/x', '/cards/[Redacted]/x'],
    ['a token', `got ${JWT} from`, 'got [Redacted] from'],
    ['an unsigned token', 'x=eyJhbGciOiJub25lIn0.e30.', 'x=[Redacted]'],
    ['a bearer token', 'Bearer 0pAque-T0ken_value', 'Bearer [Redacted]'],
    ['a bearer token of letters only', 'bearer abcdefghijkl', 'Bearer [Redacted]'],
    ['basic credentials', 'Basic YWRhOmh1bnRlcjI=', 'Basic [Redacted]'],
    ['a query string', '/x?id=7&access_token=a1b2c3&page=2', '/x?id=7&access_token=[Redacted]&page=2'],
    ['an encoded query string', 'q%3D1%26password%3Dhunter2', 'q%3D1%26password%3D[Redacted]'],
    ['a connection string', 'Host=db;Password=hunter2;Ssl=1', 'Host=db;Password=[Redacted];Ssl=1'],
    ['JSON in a text', 'sent {"password":"hun\\"ter2","a":1}', 'sent {"password":"[Redacted]","a":1}'],
    [
      'JSON in JSON',
      String.raw`{"body":"{\"token\": \"abc123\"}"}`,
      String.raw`{"body":"{\"token\": \"[Redacted]\"}"}`,
    ],
    ['a number in JSON', '{"cvv": 123}', '{"cvv": "[Redacted]"}'],
    ['a line of a header', 'Cookie: a=b; sid=c', 'Cookie: [Redacted]'],
    ['another', 'authorization: Signature x y z', 'authorization: [Redacted]'],
    ['user and password in a URL', 'at amqp://me:pa:ss@word@mq:5672/x', 'at amqp://[Redacted]@mq:5672/x'],
    [
      'the same, encoded',
      '/x/https%3A%2F%2Fme%3Apw%40shop%2Fa%40b',
      '/x/https%3A%2F%2F[Redacted]%40shop%2Fa%40b',
    ],
    ['a private key', `key\n${PEM}\nend`, 'key\n[Redacted]\nend'],
    ['a private key that was cut off', PEM.slice(0, 50), '[Redacted]'],
    ['an access key', 'id AKIAIOSFODNN7EXAMPLE', 'id [Redacted]'],
    ['a key of a vendor', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc', '[Redacted]'],
    ['a token of a card', 'tok_1MzQ2xLkdIwHu7ixraBm4', '[Redacted]'],
    [
      'what JSON.parse quotes',
      `Unexpected token 'h', "hunter2" is not valid JSON`,
      'Unexpected token … is not valid JSON',
    ],
    ['ends of lines that JSON lets stand', 'a\u2028b\u0085c\u009b31m', String.raw`a\u2028b\u0085c\u009b31m`],
  ])('hides %s', (_, given, expected) => {
    expect(text(given)).toBe(expected);
    expect(isSensitive(given)).toBe(true);
    expect(text(expected)).toBe(expected);
  });

  it.each([
    'order 0194f0a0-1234-7456-8123-123456789012 confirmed',
    'trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7',
    '2026-11-22T05:31:00.123Z took 12.4111111111111111 ms',
    'epoch 1763789460123 ms, 1763789460123456789 ns',
    'a number that only looks like a card: 4111111111111112',
    'Basic authentication is required, Bearer token missing, bearer authentication failed',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-4111111111111111-01',
    'WWW-Authenticate: Bearer realm="x"',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'GET http://127.0.0.1:3001/api/v1/orders/:id?page=2 for ada@example.com',
    'total=3230 currency=EUR tokens=17 span=1 author: Ada',
    'password: null, token=undefined',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'tok_visa was declined',
  ])('leaves %s', (given) => {
    expect(text(given)).toBe(given);
  });

  it('leaves 10,000 ordinary texts as they are', () => {
    const hex = (length: number) =>
      fc
        .uint8Array({ minLength: length / 2, maxLength: length / 2 })
        .map((bytes) => Buffer.from(bytes).toString('hex'));
    const ordinary = fc.oneof(
      fc.uuid().map((id) => `order ${id} confirmed`),
      fc.uuid({ version: 7 }).map((id) => `/api/v1/orders/${id}`),
      hex(32).map((id) => `trace ${id}`),
      fc.tuple(hex(32), hex(16)).map(([trace, span]) => `00-${trace}-${span}-01`),
      hex(64),
      fc
        .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
        .map((date) => date.toISOString()),
      fc.integer({ min: 0, max: 2_000_000_000_000 }).map((ms) => `at ${ms}`),
      fc.double({ min: 0, max: 1000, noNaN: true }).map((ms) => `took ${ms} ms`),
      fc.integer({ min: 0, max: 999_999_999_999 }).map((amount) => `total ${amount} EUR`),
      fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 })).map(([ip, port]) => `connect ${ip}:${port}`),
      fc.lorem(),
    );
    fc.assert(
      fc.property(ordinary, (given) => text(given) === given),
      { numRuns: 10_000 },
    );
  });

  it('hides generated card numbers, whatever stands around them', () => {
    const digits = (length: number) =>
      fc
        .array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length })
        .map((all) => all.join(''));
    const card = fc
      .constantFrom(['4', 16], ['4', 13], ['51', 16], ['2221', 16], ['34', 15], ['6011', 16], ['3530', 16])
      .chain(([prefix, length]) =>
        digits(Number(length) - String(prefix).length - 1).map((rest) => withCheckDigit(`${prefix}${rest}`)),
      );
    const around = fc.constantFrom('', ' ', 'card=', '"', '\n', 'x', '/', '+', 'é', '-');
    fc.assert(
      fc.property(card, around, around, (pan, before, after) => !text(before + pan + after).includes(pan)),
      { numRuns: 2000 },
    );
  });
});

function withCheckDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((all, digit, i) => {
    const double = Number(digit) * 2;
    return all + (i % 2 ? Number(digit) : double > 9 ? double - 9 : double);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

describe('value', () => {
  it.each([
    'password',
    'Passwd',
    'dbPasswordOld',
    'secret',
    'clientSecret',
    'token',
    'accessToken',
    'refresh_token',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'Set-Cookie',
    'X-Api-Key',
    'apiKey',
    'cardToken',
    'card_number',
    'PAN',
    'cvv',
    'CVC2',
    'iban',
    'privateKey',
    'aws_secret_access_key',
  ])('hides the field %s at any depth, whatever it holds', (name) => {
    for (const held of ['canary', 123, ['canary'], { deep: 'canary' }, new Map([['a', 'canary']])]) {
      const hidden = value({ a: [{ b: { [name]: held, kept: 'canary?' } }] });
      expect(hidden).toEqual({ a: [{ b: { [name]: '[Redacted]', kept: 'canary?' } }] });
    }
  });

  it.each(['tokens', 'span', 'company', 'author', 'pinned', 'passed', 'secretary', 'cardBrand'])(
    'leaves the field %s',
    (name) => expect(value({ [name]: 'x' })).toEqual({ [name]: 'x' }),
  );

  it('leaves what says only whether there is a secret', () => {
    const fields = { hasPassword: true, token: null, cookie: false };
    expect(value(fields)).toEqual(fields);
  });

  it('hides names that were added, in any spelling', () => {
    expect(createRedactor({ names: ['date-of-birth'] }).value({ DateOfBirth: 'x' })).toEqual({
      DateOfBirth: '[Redacted]',
    });
  });

  it('hides pairs of names and values', () => {
    const pairs = { headers: [['Authorization', 'abc']], list: [{ name: 'X-Api-Key', value: 'abc' }] };
    expect(value(pairs)).toEqual({
      headers: [['Authorization', '[Redacted]']],
      list: [{ name: 'X-Api-Key', value: '[Redacted]' }],
    });
    expect(value(['Host', 'x', 'Cookie', 'abc'])).toEqual(['Host', 'x', 'Cookie', '[Redacted]']);
  });

  it('hides what is in names, and card numbers that are numbers', () => {
    expect(value({ '4111111111111111': 1, of: 4111111111111111, not: 4111111111111112 })).toEqual({
      '[Redacted]': 1,
      of: '[Redacted]',
      not: 4111111111111112,
    });
  });
});

describe('the secrets of a configuration', () => {
  const secret = 'Zx81 "Spectrum"/+ä&48k';
  const { text: hide } = createRedactor({ secrets: [secret, 'postgres://app:hor5e-battery-staple@db/app'] });

  it.each([
    ['as they are', secret],
    ['URL-encoded', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ a: secret }).toString()],
    ['in JSON', JSON.stringify({ a: secret })],
    ['in JSON in JSON', JSON.stringify({ a: JSON.stringify({ b: secret }) })],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64 after one other byte', Buffer.from(`x${secret}y`).toString('base64')],
    ['in base64 after two other bytes', Buffer.from(`xy${secret}`).toString('base64')],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
    ['as the password of a URL', 'FATAL: hor5e-battery-staple is wrong'],
  ])('are hidden %s', (_, given) => {
    expect(hide(given)).toContain('[Redacted]');
    const rest = hide(given);
    expect(rest).not.toMatch(/Spectrum|48k|horse|hor5e/);
    expect(rest.length).toBeLessThan(given.length);
    expect(createRedactor().text(given)).not.toContain('[Redacted]');
  });

  it('are not looked for when they are words that stand everywhere', () => {
    const { text: lenient } = createRedactor({ secrets: ['a', 'db', 'postgres://postgres:postgres@db/x'] });
    expect(lenient('postgres at db is a database')).toBe('postgres at db is a database');
  });

  it('must be texts', () => {
    expect(() => createRedactor({ secrets: ['fine!!', 7 as never] })).toThrow(
      'secrets[1] must be a string, got number',
    );
  });
});

describe('hostile text of a megabyte', () => {
  const repeated = (part: string, length: number) => part.repeat(Math.ceil(length / part.length));
  const parts = {
    tokens: 'eyJ',
    dots: 'eyJhbGciOi.',
    digits: '4111 ',
    'long digits': '4',
    'groups of digits': '411111-',
    names: 'password',
    separators: '=:',
    'names and values': 'password=',
    'open quotes': 'password="',
    backslashes: String.raw`token\\\\`,
    'schemes of URLs': '://a',
    'user infos': '://@',
    'encoded URLs': '%3A%2F%2Fa%40',
    bearers: 'Bearer ',
    basics: 'Basic AAAAAAAA',
    keys: '-----BEGIN PRIVATE KEY-----',
    'half of keys': '-----BEGIN ',
    vendors: 'sk_live_',
    hex: '0123456789abcdef',
    'JSON errors': 'Unexpected token x, "',
    'not valid': 'is not valid JSON',
    headers: 'cookie: ',
    blanks: ' \t',
  };
  // CPU time of the process, since wall time is that of whoever else is on the machine.
  const cost = (given: string) => {
    const times = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      text(given);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };

  it.each(Object.entries(parts))('costs in proportion to its length: %s', (_, part) => {
    const short = cost(repeated(part, 128 * 1024));
    const long = cost(repeated(part, 1024 * 1024));
    // 8 times the length: 8 times the time, and at quadratic cost 64 times. What takes hardly any time is not measured.
    expect(long).toBeLessThan(24 * Math.max(short, 5));
  });

  it('would be seen if it were not', () => {
    const quadratic = /(?:a|b)*c/;
    const time = (length: number) => {
      const before = process.cpuUsage();
      quadratic.test('ab'.repeat(length / 2));
      return (process.cpuUsage(before).user + 1) / 1000;
    };
    expect(time(8000)).toBeGreaterThan(24 * time(500));
  });
});
