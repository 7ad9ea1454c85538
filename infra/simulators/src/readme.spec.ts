import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cards } from './charge.ts';
import { configSchema } from './config.ts';
import { faultsSchema } from './faults.ts';
import { problemTable } from './problem.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const rows = readme.split('\n').filter((line) => line.startsWith('|'));

describe('the README', () => {
  it.each([
    ['card', Object.entries(cards)],
    ['fault', Object.keys(faultsSchema.shape).map((name) => [name])],
    ['variable', Object.keys(configSchema.shape).map((name) => [name])],
    ['error code', Object.entries(problemTable).map(([code, [status]]) => [code, `${status}`])],
  ])('has a row for every %s', (_, expected) => {
    const missing = expected.filter(
      ([name, meaning = '']) => !rows.some((row) => row.includes(`\`${name}\``) && row.includes(meaning)),
    );
    expect(missing).toEqual([]);
  });
});
