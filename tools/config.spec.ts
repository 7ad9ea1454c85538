import { describe, expect, it } from '@jest/globals';
import { variablesOf } from '@cairn/config';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * What holds for the configuration of every app: its README tells all of it, and the policies around its dependency
 * can't be set to one of the known mistakes.
 */
type Env = Record<string, string>;
type Schema = Parameters<typeof variablesOf>[0];

const placeOf = (app: string, file: string) => new URL(`../apps/${app}/${file}`, import.meta.url);
// Computed, since a tool may not depend on an app: it looks at them from outside.
const load = async <T>(app: string, file: string) => (await import(placeOf(app, file).href)) as T;

describe.each(['orders', 'payments', 'notifications', 'worker', 'scheduler'])(
  'the configuration of %s',
  (app) => {
    it('is listed in its README, with defaults and meanings', async () => {
      const { schema } = await load<{ schema: Schema }>(app, 'src/config.ts');
      const page = readFileSync(placeOf(app, 'README.md'), 'utf8');
      const rows = [...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` *\|(.*?)\|(.*)\|$/gm)];
      const shown = (value: unknown) =>
        value === undefined ? 'required' : value === '' ? 'empty' : `\`${String(value)}\``;
      expect(rows.map(([, name, fallback, meaning]) => [name, fallback!.trim(), meaning!.trim()])).toEqual(
        variablesOf(schema).map((variable) => [variable.name, shown(variable.default), variable.meaning]),
      );
    });
  },
);

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
  type Fixture = { aConfig: (env: Env) => object; REQUIRED: Env };
  const fixture = () => load<Fixture>(app, 'src/config.fixture.ts');

  it.each(mistakes)(
    'may not be the known mistake %j, which names what to set',
    async (env, setting, instead) => {
      const { aConfig } = await fixture();
      const variable = `${prefix}_${setting}`;
      const remedy = new RegExp(`^  ${variable} .*Set ${variable} to (at least )?'?${instead}`, 'm');
      expect(() => aConfig(env)).toThrow(remedy);
    },
  );

  it('may be what is just no mistake', async () => {
    const { aConfig } = await fixture();
    const env = Object.entries(NO_MISTAKE).map(([setting, value]) => [`${prefix}_${setting}`, value]);
    expect(() => aConfig(Object.fromEntries(env))).not.toThrow();
  });

  it('stop the start with exit code 78 and all problems in one table', async () => {
    const { REQUIRED } = await fixture();
    const variable = `${prefix}_BREAKER_SUCCESSES`;
    const main = placeOf(app, 'src/main.ts').pathname;
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=@cairn/source', main, 'config'], {
      env: { ...REQUIRED, PORT: 'x', [variable]: '1' },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(new RegExp(`2 problems:\\n {2}PORT +expected .*\\n {2}${variable} +`));
    expect(status).toBe(78);
  }, 30_000);
});
