import { describe, expect, it } from '@jest/globals';
import type { App } from '../apps/app.ts';
import { judge, type Use } from './uses.ts';

const shop: App = {
  name: 'shop',
  variables: ['PORT', 'DATABASE_URL', 'LOG_LEVEL'],
  required: ['DATABASE_URL'],
  secrets: ['DATABASE_URL'],
  refused: ({ LOG_LEVEL }) =>
    LOG_LEVEL === 'loud' ? [{ variable: 'LOG_LEVEL', expected: 'info or warn', fix: 'correct it' }] : [],
  commands: ['serve', 'migrate'],
  port: 3001,
  managementPort: 9464,
  paths: { http: ['/health/ready', '/api/v1/things/{id}'], management: ['/health/ready', '/metrics'] },
  api: ['/api/v1/things/{id}'],
  subscriptions: [{ topic: 'things', group: 'shop' }],
};
type Rest<T> = T extends unknown ? Omit<T, 'at' | 'app'> : never;
const told = (use: Rest<Use>, app = 'shop') => judge({ at: 'a.yml', app, ...use } as Use, [shop]);

const RIGHT: Rest<Use>[] = [
  { what: 'image' },
  { what: 'variable', name: 'LOG_LEVEL' },
  { what: 'variable', name: 'DATABASE_URL_FILE' },
  { what: 'variable', name: 'NODE_EXTRA_CA_CERTS' },
  { what: 'environment', values: { DATABASE_URL: 'postgres://db/shop' }, elsewhere: [] },
  { what: 'environment', values: {}, elsewhere: ['DATABASE_URL'] },
  { what: 'command', command: 'migrate' },
  { what: 'port', port: 3001, server: 'http' },
  { what: 'port', port: 9464, server: 'any' },
  { what: 'path', path: '/health/ready', port: 3001 },
  { what: 'path', path: '/metrics', port: 9464 },
  { what: 'path', path: '/api/v1/things/{id}', port: 3001 },
  { what: 'probe', path: '/health/ready', port: 9464 },
  { what: 'call', port: 80, open: [80] },
  { what: 'subscription', topic: 'things', group: 'shop' },
];

const WRONG: [string, Rest<Use>][] = [
  ['shop has no variable LOG_LEVLE', { what: 'variable', name: 'LOG_LEVLE' }],
  [
    'shop has no variable LOG_LEVLE',
    { what: 'environment', values: { LOG_LEVLE: 'info' }, elsewhere: ['DATABASE_URL'] },
  ],
  ['shop has no variable DB_URL', { what: 'environment', values: {}, elsewhere: ['DATABASE_URL', 'DB_URL'] }],
  ['shop needs DATABASE_URL, and it is not set', { what: 'environment', values: {}, elsewhere: [] }],
  [
    'shop refuses to start with LOG_LEVEL "loud", expected info or warn',
    { what: 'environment', values: { LOG_LEVEL: 'loud' }, elsewhere: ['DATABASE_URL'] },
  ],
  ['shop has no command "server"', { what: 'command', command: 'server' }],
  ['shop does not listen on port 9464: use 3001', { what: 'port', port: 9464, server: 'http' }],
  ['shop does not listen on port 80: use 3001 or 9464', { what: 'port', port: 80, server: 'any' }],
  ['shop answers nothing at /metrics on port 3001', { what: 'path', path: '/metrics', port: 3001 }],
  ['shop answers no probe at /metrics on port 9464', { what: 'probe', path: '/metrics', port: 9464 }],
  ['shop answers nothing at /healthz on port 9464', { what: 'path', path: '/healthz', port: 9464 }],
  ['shop does not listen on port 80', { what: 'path', path: '/health/ready', port: 80 }],
  ['shop does not answer on port 3001 there: call it on 80', { what: 'call', port: 3001, open: [80] }],
  ['shop does not consume topic "thing"', { what: 'subscription', topic: 'thing', group: 'shop' }],
  [
    'shop does not consume topic "things" as group "shops"',
    { what: 'subscription', topic: 'things', group: 'shops' },
  ],
];

describe('what a file says about an app', () => {
  it.each(RIGHT)('is right: %j', (use) => {
    expect(told(use)).toEqual([]);
  });

  it.each(WRONG)('%s: %j', (problem, use) => {
    expect(told(use)).toEqual([expect.stringContaining(`a.yml: ${problem}`)]);
  });

  it('is wrong if there is no such app', () => {
    expect(told({ what: 'image' }, 'shops')).toEqual(['a.yml: there is no app "shops": name one of shop']);
  });
});
