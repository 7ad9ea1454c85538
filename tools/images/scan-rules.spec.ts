import { describe, expect, it } from '@jest/globals';
import { judgeFile, judgeText } from './scan-rules.ts';

const KEY = `-----BEGIN EC PRIVATE KEY-----\n${'MHcCAQEEIO'.repeat(5)}\n-----END EC PRIVATE KEY-----`;
const rulesOf = (path: string, content = '') => judgeFile(path, content, 'own').map(({ rule }) => rule);
const found = (text: string) => judgeText(text, 'own').map(({ rule, quote }) => `${rule} ${quote}`);

describe('a file of an image', () => {
  it.each([
    ['app/.env', 'env file'],
    ['app/.env.production', 'env file'],
    ['app/.wh..env', 'env file'],
    ['app/staging.env', 'env file'],
    ['app/terraform.tfstate', 'env file'],
    ['home/node/.npmrc', 'key file'],
    ['home/node/.ssh/known_hosts', 'key file'],
    ['home/node/.aws/credentials', 'key file'],
    ['repo/.git/config', 'key file'],
    ['app/tls.key', 'key file'],
    ['app/id_ed25519', 'key file'],
    ['app/node_modules/fast/build/Release/fast.node', 'machine code'],
  ])('%s is a find by its name: %s', (path, rule) => {
    expect(rulesOf(path)).toEqual([rule]);
  });

  it.each([
    'app/main.js',
    'usr/bin/env',
    'etc/environment',
    'app/node_modules/pg/LICENSE',
    'app/healthcheck.cjs',
  ])('%s is none', (path) => expect(rulesOf(path, 'const a = 1;')).toEqual([]));

  it('is a find when it is machine code among our files, and none in the base', () => {
    expect(rulesOf('app/tool', '\x7fELF\x02\x01')).toEqual(['machine code']);
    expect(judgeFile('usr/bin/node', '\x7fELF\x02\x01', 'base')).toEqual([]);
  });

  it('may hold what is known to be harmless at its own place only', () => {
    expect(judgeFile('usr/lib/x86_64-linux-gnu/libgnutls.so.30', KEY, 'base')).toEqual([]);
    expect(judgeFile('usr/lib/x86_64-linux-gnu/libother.so.30', KEY, 'base')).toHaveLength(1);
    expect(
      rulesOf('app/node_modules/pg-connection-string/index.js', "new URL(a, 'postgres://base')"),
    ).toEqual([]);
    expect(rulesOf('app/main.js', "new URL(a, 'postgres://base')")).toEqual(['host']);
  });
});

describe('a secret', () => {
  it.each([
    KEY,
    KEY.replaceAll('\n', '\\n'),
    `AKIA${'ABCDEFGH'.repeat(2)}`,
    `ghp_${'a1B2'.repeat(9)}`,
    `npm_${'a1B2'.repeat(9)}`,
    `xoxb-${'1234567890'}-abc`,
    `sk_${'live'}_${'a1B2'.repeat(5)}`,
    `eyJ${'hbGciOiJIUzI1'}.eyJ${'zdWIiOiIxMjM0'}.${'c2lnbmF0dXJl'}`,
    '//registry.example/:_authToken=abc',
  ])('is found in our layers and in the base, and is not shown: %s', (secret) => {
    for (const layer of ['own', 'base'] as const) {
      const [find, ...others] = judgeText(`x = "${secret}";`, layer);
      expect(find?.rule).toBe('secret');
      expect(others).toEqual([]);
      if (secret.length > 30) expect(find?.quote).not.toContain(secret);
    }
  });

  it('is not the header of one, nor the place where one is put in', () => {
    expect(found('"-----BEGIN PRIVATE KEY-----\\n" + body')).toEqual([]);
    expect(found('//registry.example/:_authToken=${TOKEN}')).toEqual([]);
  });

  it('of a deployment is found wherever it stands, and not shown', () => {
    const finds = judgeText('a=canary-password;', 'own', { forbidden: ['canary-password', 'other'] });
    expect(finds).toEqual([{ rule: 'secret', quote: 'of a deployment: canary…' }]);
  });
});

describe('a host', () => {
  it.each([
    ['"db.internal"', 'host db.internal'],
    ['"kafka-1.internal:9092,kafka-2.internal:9092"', 'host kafka-1.internal'],
    ['KAFKA_HOST=kafka.corp', 'host kafka.corp'],
    ['http://payments.default.svc/health', 'host payments.default.svc'],
    ['x.abc123.eu-central-1.rds.amazonaws.com', 'host x.abc123.eu-central-1.rds.amazonaws.com'],
    ['"10.1.2.3"', 'host 10.1.2.3'],
    ['redis://redis', 'host redis://redis'],
    ['"http://payments:3002"', 'host http://payments:3002'],
    ['https://user:pass@shop.example/x', 'host https://user:***@shop.example'],
    ['"db.inter\\\nnal"', 'host db.internal'], // as the bundler breaks lines
  ])('%s is found', (text, expected) => {
    expect(found(text)).toContain(expected);
  });

  it('does not show the password before it', () => {
    expect(found('"postgres://orders:secret-word@db:5432/orders"').join()).not.toContain('secret-word');
  });

  it.each([
    'postgres://cairn:cairn@127.0.0.1:15432/orders',
    'postgres://cairn:cairn@12\\\n7.0.0.1:15432/orders',
    'http://localhost:4318',
    'redis://127.0.0.1:16379',
    'https://opentelemetry.io/schemas/1.0',
    'if (iface.internal || args.local) return',
    '["10.0.0.0", "192.168.0.0", "172.16.0.0"]',
    'version 10.2.3 and 110.1.2.3.4',
  ])('%s is none', (text) => expect(found(text)).toEqual([]));

  it('is no find in the base, whose documentation has examples', () => {
    expect(judgeText('"db.internal" redis://redis', 'base')).toEqual([]);
  });
});
