import { describe, expect, it } from '@jest/globals';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import {
  duration,
  feature,
  list,
  parseConfig,
  renderConfigMap,
  renderEnv,
  renderMarkdown,
  renderReference,
  renderSecret,
  renderSsm,
  secret,
  text,
  url,
  variablesOf,
} from './index.ts';

const schema = z
  .object({
    DRAIN_MS: duration('how long it serves on', { unit: 'ms', default: '2s' }),
    DATABASE_URL: url('its database', ['postgres'], {
      development: 'postgres://dev:dev-password@127.0.0.1/x',
    }),
    API_KEY: secret('a key'),
    BROKERS: list('brokers', ['a:1', 'b:2']),
    SENDER: text('who | writes', "Cairn's <a@b>"),
    PATTERN: text('when', '*/10 * * * * *'),
    NOTHING: url('where it is sent', ['http'], ''),
    FEATURE_COLOURS: feature('which colours', ['red', 'green']),
  })
  .meta({ service: 'shop', system: 'mall' });

describe('renderEnv', () => {
  it('sets what has no default, and shows the others', () => {
    expect(renderEnv(schema)).toContain(`
# its database (a URL like postgres://host)
DATABASE_URL=postgres://dev:dev-password@127.0.0.1/x

# a key (a secret)
API_KEY='<API_KEY>'

# brokers (items separated by commas)
# BROKERS=a:1,b:2
`);
  });

  it('is read back as it was meant, whatever a value holds', () => {
    const all = parseEnv(renderEnv(schema).replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
    const config = parseConfig(schema, { ...all, API_KEY: 'own', DATABASE_URL: 'postgres://u@db' });
    const defaults = variablesOf(schema).filter((variable) => variable.default !== undefined);
    expect(config).toMatchObject(
      Object.fromEntries(defaults.map((variable) => [variable.name, variable.default])),
    );
  });
});

describe('renderConfigMap and renderSecret', () => {
  it('share the variables between them; what is empty is not set', () => {
    expect(renderConfigMap(schema)).toBe(`apiVersion: v1
kind: ConfigMap
metadata:
  name: shop-config
  labels:
    app.kubernetes.io/name: shop
    app.kubernetes.io/part-of: mall
data:
  # how long it serves on
  DRAIN_MS: '2000'
  # brokers
  BROKERS: 'a:1,b:2'
  # who | writes
  SENDER: 'Cairn''s <a@b>'
  # when
  PATTERN: '*/10 * * * * *'
  # which colours
  FEATURE_COLOURS: '["red","green"]'
`);
    expect(renderSecret(schema)).toBe(`apiVersion: v1
kind: Secret
metadata:
  name: shop-secret
  labels:
    app.kubernetes.io/name: shop
    app.kubernetes.io/part-of: mall
stringData:
  # its database
  DATABASE_URL: '<DATABASE_URL>'
  # a key
  API_KEY: '<API_KEY>'
`);
  });

  it('never hold a value of a secret, not even that of development', () => {
    const all = [renderConfigMap, renderSecret, renderSsm, renderReference, renderMarkdown].map((render) =>
      render(schema),
    );
    expect(all.join('\n')).not.toContain('dev-password');
    expect(renderEnv(schema)).toContain('dev-password');
  });
});

describe('renderSsm', () => {
  it('encrypts what is secret', () => {
    const parameters = JSON.parse(renderSsm(schema)) as Record<string, string>[];
    expect(parameters.slice(0, 2)).toEqual([
      { Name: '/mall/shop/DRAIN_MS', Type: 'String', Value: '2000', Description: 'how long it serves on' },
      {
        Name: '/mall/shop/DATABASE_URL',
        Type: 'SecureString',
        Value: '<DATABASE_URL>',
        Description: 'its database',
      },
    ]);
    expect(parameters.some(({ Value }) => Value === '')).toBe(false);
  });
});

describe('renderMarkdown', () => {
  it('is a table that a formatter leaves alone', () => {
    const small = z.object({
      DRAIN_MS: schema.shape.DRAIN_MS,
      SENDER: schema.shape.SENDER,
      API_KEY: schema.shape.API_KEY,
    });
    expect(renderMarkdown(small)).toBe(`| variable   | default         | meaning               |
| ---------- | --------------- | --------------------- |
| \`DRAIN_MS\` | \`2000\`          | how long it serves on |
| \`SENDER\`   | \`Cairn's <a@b>\` | who \\| writes         |
| \`API_KEY\`  | required        | a key                 |
`);
  });
});
