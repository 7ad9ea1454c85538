import { describe, expect, it } from '@jest/globals';
import { variablesOf } from '@cairn/config';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { aConfig, REQUIRED } from './config.fixture.ts';
import { schema } from './config.ts';

describe('the configuration of worker', () => {
  it.each<[Record<string, string>, string, string]>([
    [{ S3_BREAKER_OPEN_MS: '3999', S3_RECOVERY_MS: '2000' }, 'S3_BREAKER_OPEN_MS', '4000'],
    [{ S3_BREAKER_SUCCESSES: '1' }, 'S3_BREAKER_SUCCESSES', '2'],
    [{ S3_RETRY_JITTER: 'none' }, 'S3_RETRY_JITTER', 'full'],
    [{ S3_ATTEMPTS: 'unlimited' }, 'S3_ATTEMPTS', '3'],
  ])('refuses the known mistake %j, and names what to set', (env, variable, instead) => {
    const remedy = new RegExp(`^  ${variable} .*Set ${variable} to (at least )?'?${instead}`, 'm');
    expect(() => aConfig(env)).toThrow(remedy);
  });

  it('accepts what is just no mistake', () => {
    expect(() =>
      aConfig({
        S3_BREAKER_OPEN_MS: '4000',
        S3_RECOVERY_MS: '2000',
        S3_BREAKER_SUCCESSES: '2',
        S3_RETRY_JITTER: 'equal',
        S3_ATTEMPTS: '10',
      }),
    ).not.toThrow();
  });

  it('stops the start with exit code 78 and all problems in one table', () => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=@cairn/source', main, 'config'], {
      env: { ...REQUIRED, PORT: 'x', S3_BREAKER_SUCCESSES: '1' },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/2 problems:\n {2}PORT +expected .*\n {2}S3_BREAKER_SUCCESSES +/);
    expect(status).toBe(78);
  }, 30_000);

  it('is listed in the README, with defaults and meanings', () => {
    const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` *\|(.*?)\|(.*)\|$/gm)];
    const shown = (value: unknown) =>
      value === undefined ? 'required' : value === '' ? 'empty' : `\`${String(value)}\``;
    expect(rows.map(([, name, fallback, meaning]) => [name, fallback!.trim(), meaning!.trim()])).toEqual(
      variablesOf(schema).map((variable) => [variable.name, shown(variable.default), variable.meaning]),
    );
  });
});
