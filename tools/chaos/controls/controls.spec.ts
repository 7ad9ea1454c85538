import { describe, expect, it } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { complaintsOf, copyOfCheckout, takeOut } from './controls-copy.ts';
import { patternOf, rowsOf, violationsOf, type Counts, type Trial } from './controls-verdict.ts';
import { GUARDS, type Guard } from './guards.ts';

const guard: Guard = {
  ...{ name: 'lock', file: 'lib/a.ts', text: 'FOR UPDATE', without: '' },
  ...{ spec: 'lib/a.spec.ts', test: 'locks' },
};

describe('the guards', () => {
  it.each(GUARDS.map((one) => [one.name, one] as const))('%s: text and test are found', (_, one) => {
    expect(complaintsOf(one)).toEqual([]);
  });

  it('have names of their own, and those that issue 5 names are among them', () => {
    const names = GUARDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const named of ['inbox', 'epoch', 'row lock', 'idempotency claim', 'serial send', 'per-key hold'])
      expect(names.filter((name) => name.startsWith(named))).not.toEqual([]);
  });

  it('are refused when a text or a test is not there once', () => {
    const root = mkdtempSync(join(tmpdir(), 'cairn-guards-'));
    try {
      mkdirSync(join(root, 'lib'));
      expect(complaintsOf(guard, root)).toEqual(['lib/a.ts is not there']);
      writeFileSync(join(root, 'lib/a.ts'), 'FOR UPDATE; FOR UPDATE');
      expect(complaintsOf(guard, root)).toEqual(['lib/a.spec.ts is not there']);
      writeFileSync(join(root, 'lib/a.spec.ts'), "it('locks it')");
      expect(complaintsOf({ ...guard, without: 'FOR UPDATE' }, root)).toEqual([
        '"FOR UPDATE" is found 2 times in lib/a.ts',
        'nothing is taken out',
        "lib/a.spec.ts has no test 'locks'",
      ]);
      expect(() => takeOut(guard, root)).toThrow('lib/a.ts does not have this once: FOR UPDATE');
      writeFileSync(join(root, 'lib/a.ts'), 'SELECT FOR UPDATE;');
      const putBack = takeOut({ ...guard, without: 'LIMIT $&' }, root);
      expect(readFileSync(join(root, 'lib/a.ts'), 'utf8')).toBe('SELECT LIMIT $&;');
      putBack();
      expect(readFileSync(join(root, 'lib/a.ts'), 'utf8')).toBe('SELECT FOR UPDATE;');
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('the copy of the checkout', () => {
  it('has its own sources, also by the names of our packages, and the packages of others', () => {
    const { folder, remove } = copyOfCheckout();
    try {
      const real = (path: string) => realpathSync(join(folder, path));
      expect(real('node_modules/@cairn/messaging')).toBe(realpathSync(join(folder, 'libs/messaging')));
      expect(existsSync(real('node_modules/jest/bin/jest.js'))).toBe(true);
      for (const { file } of GUARDS) expect(existsSync(join(folder, file))).toBe(true);
      expect(existsSync(join(folder, '.git'))).toBe(false);
      // Jest sees nothing in there.
      expect(folder).not.toContain('/.stack/');
    } finally {
      remove();
    }
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a control', () => {
  const counts = (passed: number, failed = 0, broken = 0): Counts => ({ passed, failed, broken });
  const trial = (before: Counts, without?: Counts): Trial => ({
    ...{ guard, with: before, tookMs: 1234 },
    ...(without && { without }),
  });

  it('holds when the test passes with the guard and fails without it', () => {
    expect(violationsOf(trial(counts(1), counts(0, 1)))).toEqual([]);
    expect(violationsOf(trial(counts(2), counts(1, 1)))).toEqual([]);
  });

  it.each([
    ['passes without it', trial(counts(1), counts(1))],
    ['passes without it', trial(counts(1), counts(0))],
    ['without it nothing runs', trial(counts(1), counts(0, 0, 1))],
    ['without it nothing runs', trial(counts(1), counts(0, 1, 1))],
    ['does not pass as it is: 1 failed', trial(counts(1, 1))],
    ['does not pass as it is: no such test', trial(counts(0))],
    ['does not pass as it is: does not load', trial(counts(0, 0, 1))],
    ['was not tried', trial(counts(1))],
  ])('does not hold when the test %s (%#)', (why, one) => {
    expect(violationsOf(one)).toEqual([expect.stringContaining(why)]);
    expect(rowsOf([one])[1]![3]).toBe('NO');
  });

  it('is a row of a table', () => {
    expect(rowsOf([trial(counts(1), counts(0, 1))])[1]).toEqual([
      ...['lock', '1 passed', '1 failed', 'holds', '1.2 s', 'lib/a.spec.ts'],
    ]);
  });

  it('is of the tests with its title and of no others', () => {
    const matches = (title: string, name: string) => new RegExp(patternOf(title)).test(name);
    expect(matches('is 1 (of 2)', 'a thing is 1 (of 2)')).toBe(true);
    expect(matches('is 1', 'a thing is 1 (of 2)')).toBe(false);
    expect(matches('ends in %s at %i ms', 'it ends in a TypeError at 5 ms')).toBe(true);
    expect(matches('goes 100 % on', 'goes 100 x on')).toBe(false);
  });
});
