import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import {
  auto,
  bytes,
  ConfigError,
  duration,
  feature,
  flag,
  integer,
  list,
  maskedConfig,
  oneOf,
  parseConfig,
  port,
  secret,
  share,
  text,
  url,
  type Environment,
} from './index.ts';
import { printable } from './mask.ts';
import { lineOfProblems } from './problem.ts';

const schema = z.object({
  PORT: port('port'),
  POOL: auto('pool', { max: 5 }),
  COUNT: integer('count'),
  RATIO: share('ratio'),
  WAIT_MS: duration('wait', { unit: 'ms' }),
  LIMIT_MIB: bytes('limit', { unit: 'MiB' }),
  LEVEL: oneOf('level', ['a', 'b']),
  ON: flag('on'),
  NAME: text('name'),
  KEY: secret('key'),
  WEB: url('web', ['http', 'https']),
  DB: url('database', ['postgres', 'redis'], { development: 'postgres://dev:dev@h/x' }, { needs: ['user'] }),
  HOSTS: list('hosts', undefined, { of: 'host:port' }),
  FEATURE_X: feature('x', '10%'),
});
const NAMES = Object.keys(schema.shape);

/** All that is printed of this environment: the configuration masked, or the problems as a table and as a line. */
function printed(env: Environment): { table: string; line: string } {
  try {
    const line = JSON.stringify(maskedConfig(schema, parseConfig(schema, env)));
    return { table: '', line };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { table: error.message, line: lineOfProblems(error) };
  }
}

const values = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ maxLength: 80 }),
  fc.webUrl({ withQueryParameters: true }),
  fc.constantFrom('1', 'true', 'a:1', '\u2028', '\u202e', '\r\n', '\u001b[2J', '<PORT>', '//@', '1.5s'),
);

describe('whatever an environment holds', () => {
  it('is a configuration or a list of problems, each on lines of ours', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...NAMES, 'KEYS', 'PORT_X'), values), (env) => {
        const { table, line } = printed(env);
        expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
        expect(line).not.toMatch(/[\r\n]/);
        const begins = table.split('\n').filter((row) => /^ {2}\S/.test(row));
        const known = new RegExp(`^ {2}(variable|${NAMES.join('|')}) `);
        expect(begins.filter((row) => !known.test(row))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the password of a URL, wherever the URL is broken', () => {
    const odd = fc.string({ unit: fc.constantFrom(...'ab1:/?#@%\\[] .&='), maxLength: 4 });
    const broken = fc
      .tuple(
        fc.constantFrom('postgres', 'redis', 'http', 'mysql', ''),
        fc.constantFrom('://', ':/', '//', ':'),
        odd,
        odd,
        odd,
        odd,
      )
      .map(
        ([scheme, after, user, before, behind, host]) =>
          `${scheme}${after}${user}:${before}canary!${behind}@${host}`,
      );
    fc.assert(
      fc.property(broken, fc.constantFrom('DB', 'WEB', 'KEY'), (value, name) => {
        const { table, line } = printed({ [name]: value, NAME: value.slice(0, 3) });
        expect(table + line).not.toContain('canary');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('printable', () => {
  it.each([
    ['plain', 'plain'],
    ['a\nb\tc', 'a\\nb\\tc'],
    ['\u001b[31m\u0085\u200b\u2066', '\\u{1b}[31m\\u{85}\\u{200b}\\u{2066}'],
    ['\ud800', '\\u{d800}'],
    ['😀'.repeat(61), `${'😀'.repeat(40)}… (61 characters)`],
    ['x'.repeat(60), 'x'.repeat(60)],
  ])('%j is %s', (given, shown) => {
    expect(printable(given)).toBe(shown);
  });
});
