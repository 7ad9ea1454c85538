import { describe, expect, it } from '@jest/globals';
import { parseConfig, url, variablesOf, type ConfigError, type Schema } from '@cairn/config';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { configFiles } from './config-files.ts';

/**
 * What holds for the configuration of every app: all that is made from its schema is up to date, and the policies around
 * its dependency can't be set to one of the known mistakes.
 */
type Env = Record<string, string>;

const root = join(import.meta.dirname, '..');
const placeOf = (app: string, file: string) => new URL(`../apps/${app}/${file}`, import.meta.url);
// Computed, since a tool may not depend on an app: it looks at them from outside.
const load = async <T>(app: string, file: string) => (await import(placeOf(app, file).href)) as T;
const read = (file: string) => {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return ''; // not written yet
  }
};

const APPS = ['orders', 'payments', 'notifications', 'worker', 'scheduler'];
const loaded = APPS.map(async (app) => [app, (await load<{ schema: Schema }>(app, 'src/config.ts')).schema]);
const schemas = Object.fromEntries(await Promise.all(loaded)) as Record<string, Schema>;
const files = configFiles(schemas);

if (process.env['UPDATE_CONFIG']) {
  for (const [file, make] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), make(read(file)));
  }
}

describe('what is made from the schemas (UPDATE_CONFIG=1 writes it anew)', () => {
  it.each(Object.keys(files))('%s', (file) => {
    expect(read(file)).toBe(files[file]!(read(file)));
  });

  it('is no longer up to date once a schema changes', () => {
    const orders = schemas['orders']!;
    const more = orders.safeExtend({ CACHE_URL: url('one more', ['redis']) }).meta(orders.meta()!);
    const changed = configFiles({ ...schemas, orders: more });
    const stale = Object.keys(files).filter((file) => changed[file]!(read(file)) !== read(file));
    expect(stale.toSorted()).toEqual([
      'apps/orders/.env.example',
      'apps/orders/README.md',
      'docs/config.md',
      // The URL may hold a password: it is in the Secret, and the ConfigMap does not know it.
      'infra/kubernetes/base/orders/secret.example.env',
      'infra/kubernetes/components/external-secrets/orders.yaml',
      'infra/terraform/parameters/orders.json',
    ]);
  });
});

describe.each(APPS)('the configuration of %s', (app) => {
  const schema = schemas[app]!;
  const names = variablesOf(schema).map(({ name }) => name);
  const base = (file: string) => kustomizeEnv(read(`infra/kubernetes/base/${app}/${file}`));

  it('has the unit of a variable in its name', () => {
    const measured = variablesOf(schema).filter(({ unit }) => unit);
    expect(measured.filter(({ name, unit }) => !name.endsWith(`_${unit!.toUpperCase()}`))).toEqual([]);
    expect(measured.length).toBeGreaterThan(1);
  });

  it('has a meaning for every variable', () => {
    expect(variablesOf(schema).filter(({ meaning }) => meaning === '')).toEqual([]);
  });

  it('starts on a developer’s machine with nothing but .env.example, and with nothing but one variable', () => {
    const example = parseEnv(read(`apps/${app}/.env.example`)) as Env;
    const config = parseConfig(schema, example);
    expect(config).toEqual(parseConfig(schema, { DEPLOYMENT_ENVIRONMENT: 'development' }));
    // What is commented out are the defaults.
    const all = parseEnv(read(`apps/${app}/.env.example`).replaceAll(/^# (?=[A-Z_\d]+=)/gm, '')) as Env;
    expect(Object.keys(all).toSorted()).toEqual(names.toSorted());
    expect(parseConfig(schema, all)).toEqual(config);
  });

  it('is split into what may be read by all and what may not, and neither can be deployed as it stands', () => {
    const data = base('config.env');
    const secret = base('secret.example.env');
    const empty = variablesOf(schema).flatMap(({ name, spelled }) => (spelled === '' ? [name] : []));
    expect([...Object.keys(data), ...Object.keys(secret), ...empty].toSorted()).toEqual(names.toSorted());
    const placeholders = Object.keys(secret).map((name) => [name, `<${name}>`]);
    expect(secret).toEqual(Object.fromEntries(placeholders));
    const required = variablesOf(schema).flatMap(({ name, spelled }) =>
      spelled === undefined ? [name] : [],
    );
    expect(refusedIn(() => parseConfig(schema, { ...data, ...secret }))).toEqual(required);
  });

  it('is the same in SSM, where secrets are encrypted', () => {
    type Parameter = { Name: string; Type: string; Value: string };
    const parameters = JSON.parse(read(`infra/terraform/parameters/${app}.json`)) as Parameter[];
    const inSsm = (type: string) =>
      Object.fromEntries(
        parameters
          .filter(({ Type }) => Type === type)
          .map(({ Name, Value }) => [Name.replace(`/cairn/${app}/`, ''), Value]),
      );
    expect(inSsm('String')).toEqual(base('config.env'));
    expect(inSsm('SecureString')).toEqual(base('secret.example.env'));
  });

  it('has every secret from the same parameter in Kubernetes, under the name that the processes ask for', () => {
    const file = `infra/kubernetes/components/external-secrets/${app}.yaml`;
    const { spec } = parse(read(file)) as {
      spec: { target: { name: string }; data: { secretKey: string; remoteRef: { key: string } }[] };
    };
    expect(spec.target.name).toBe(`${app}-secret`);
    expect(spec.data.map(({ secretKey, remoteRef }) => [secretKey, remoteRef.key])).toEqual(
      Object.keys(base('secret.example.env')).map((name) => [name, `${app}/${name}`]),
    );
  });
});

/** As kustomize reads it: nothing is quoted, and only whole lines are comments. */
function kustomizeEnv(text: string): Env {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function refusedIn(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ variable }) => variable);
  }
}

const BREAKER = (prefix: string): [Env, string, string][] => [
  [{ [`${prefix}_BREAKER_OPEN_MS`]: '3999', [`${prefix}_RECOVERY_MS`]: '2000' }, 'BREAKER_OPEN_MS', '4000'],
  [{ [`${prefix}_BREAKER_SUCCESSES`]: '1' }, 'BREAKER_SUCCESSES', '2'],
];
const RETRY = (prefix: string): [Env, string, string][] => [
  [{ [`${prefix}_RETRY_JITTER`]: 'none' }, 'RETRY_JITTER', 'full'],
  [{ [`${prefix}_ATTEMPTS`]: 'unlimited' }, 'ATTEMPTS', '3'],
];
const NO_MISTAKE = {
  BREAKER_OPEN_MS: '4000',
  RECOVERY_MS: '2000',
  BREAKER_SUCCESSES: '2',
  RETRY_JITTER: 'equal',
  ATTEMPTS: '10',
};

describe.each([
  { app: 'orders', prefix: 'PAYMENTS', mistakes: [...BREAKER('PAYMENTS'), ...RETRY('PAYMENTS')] },
  { app: 'payments', prefix: 'GATEWAY', mistakes: [...BREAKER('GATEWAY'), ...RETRY('GATEWAY')] },
  { app: 'notifications', prefix: 'SMTP', mistakes: BREAKER('SMTP') },
  { app: 'worker', prefix: 'S3', mistakes: [...BREAKER('S3'), ...RETRY('S3')] },
])('the policies of $app', ({ app, prefix, mistakes }) => {
  const judge = (env: Env) => parseConfig(schemas[app]!, { DEPLOYMENT_ENVIRONMENT: 'development', ...env });

  it.each(mistakes)('may not be the known mistake %j, which names what to set', (env, setting, instead) => {
    const variable = `${prefix}_${setting}`;
    expect(refusedIn(() => judge(env))).toEqual([variable]);
    // Our words are wrapped, so the line may end between any two of them.
    const remedy = `set ${variable} to (at least )?'?${instead}`.replaceAll(' ', '[^]+?');
    expect(() => judge(env)).toThrow(new RegExp(remedy));
  });

  it('may be what is just no mistake', () => {
    const env = Object.entries(NO_MISTAKE).map(([setting, value]) => [`${prefix}_${setting}`, value]);
    expect(() => judge(Object.fromEntries(env))).not.toThrow();
  });
});
