import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from './stack/paths.ts';

/** Each guarantee names what shows it: a test by its file and title, or a command. What it names has to be there. */
const page = readFileSync(join(repoRoot, 'docs/guarantees.md'), 'utf8');
const kinds = readFileSync(join(repoRoot, 'tools/chaos/main.ts'), 'utf8');

type Row = { step: string; promised: string; notPromised: string; shownBy: string };

function rowsOf(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => /^\| (?!step |-)/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, step = '', promised = '', notPromised = '', shownBy = '']) => ({
      step,
      promised,
      notPromised,
      shownBy,
    }));
}

/** What is wrong with what a row names; none when all of it is there. */
function problemsOf({ step, shownBy }: Row): string[] {
  const tests = [...shownBy.matchAll(/\[“([^”]+)”\]\(\.\.\/([^)]+)\)/g)];
  const commands = [...shownBy.matchAll(/`npm run chaos -- ([a-z-]+)/g)];
  if (tests.length + commands.length === 0) return [`${step}: nothing shows it`];
  return [
    ...tests.flatMap(([, title = '', file = '']) => {
      const path = join(repoRoot, file);
      if (!existsSync(path)) return [`${step}: there is no ${file}`];
      return readFileSync(path, 'utf8').includes(title) ? [] : [`${step}: ${file} has no “${title}”`];
    }),
    ...commands.flatMap(([, kind]) =>
      new RegExp(`^  '?${kind}'?:`, 'm').test(kinds) ? [] : [`${step}: there is no npm run chaos -- ${kind}`],
    ),
  ];
}

describe('docs/guarantees.md', () => {
  const rows = rowsOf(page);

  it('says for every step what is promised, and what is not', () => {
    expect(rows.length).toBeGreaterThan(15);
    expect(rows.filter(({ promised, notPromised }) => !promised || !notPromised)).toEqual([]);
  });

  it.each(rows.map((row) => [row.step, row] as const))('%s: what shows it is there', (_, row) => {
    expect(problemsOf(row)).toEqual([]);
  });

  it('would not pass with a test or a command that is gone, or with none', () => {
    const row = { step: 'x', promised: 'a', notPromised: 'b' };
    const problems = [
      '',
      '[“gone”](../tools/guarantees.spec.txt)',
      '[“no such’ title”](../package.json)',
      '`npm run chaos -- gone`',
    ];
    expect(problems.map((shownBy) => problemsOf({ ...row, shownBy }))).toEqual([
      ['x: nothing shows it'],
      ['x: there is no tools/guarantees.spec.txt'],
      ['x: package.json has no “no such’ title”'],
      ['x: there is no npm run chaos -- gone'],
    ]);
  });
});
