import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `docs/errors.md` and the sources name the same codes, with the same statuses. */
const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const KINDS = Object.fromEntries(
  [...read('libs/http/src/problem.ts').matchAll(/(\w+): \{ status: (\d+), title/g)].map((m) => [
    m[1]!,
    m[2]!,
  ]),
);

/** Code → its status, as far as the source tells it by a kind. */
type Codes = Map<string, string | undefined>;

/**
 * The error codes in a source: fields and variables called `code`, tables called `…_ERRORS`, and words with an
 * underscore that are given to `problem(…)` or to the constructor of an error.
 */
function codesIn(...texts: string[]): Codes {
  const codes: Codes = new Map();
  const add = (code: string, kind?: string) => codes.set(code, (kind && KINDS[kind]) ?? codes.get(code));
  for (const source of texts) {
    const kind = /\bkind = '(\w+)';/.exec(source)?.[1];
    for (const [, value] of source.matchAll(/\b(?:readonly|const) code(?: =|:) ([^;]*);/g))
      for (const [, code] of value!.matchAll(/'([a-z_]+)'/g)) add(code!, kind);
    for (const [, table] of source.matchAll(/_ERRORS = \{([^}]*)\}/g))
      for (const [, code, of] of table!.matchAll(/(\w+): '(\w+)'/g)) add(code!, of);
    for (const [, text] of source.matchAll(/(?:new \w*Error|\bproblem)\(([^)]*)/g)) {
      const words = [...text!.matchAll(/'([a-z_]+)'/g)].map((m) => m[1]!);
      for (const word of words)
        if (word.includes('_') && !(word in KINDS))
          add(
            word,
            words.find((other) => other in KINDS),
          );
    }
  }
  return codes;
}

/** The codes in the first column of the tables, and their statuses where there are any. */
function codesOf(page: string): Map<string, string> {
  const rows = [...page.matchAll(/^\| +`([a-z_]+)` +\|[^|]*\|([^|]*)\|/gm)];
  return new Map(rows.map(([, code, status]) => [code!, status!.trim()]));
}

const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter(
  (file) => !file.endsWith('.spec.ts'),
);
const inSource = codesIn(...sources.map(read));
const inDocs = codesOf(read('docs/errors.md'));

describe('docs/errors.md', () => {
  it('explains every code of the sources', () => {
    expect([...inSource.keys()].filter((code) => !inDocs.has(code))).toEqual([]);
  });

  it('explains no code that is not there any more', () => {
    expect([...inDocs.keys()].filter((code) => !inSource.has(code))).toEqual([]);
  });

  it('gives every code the status of its kind', () => {
    const told = [...inSource].filter(([, status]) => status !== undefined);
    expect(told.length).toBeGreaterThanOrEqual(12);
    expect(told.map(([code]) => [code, inDocs.get(code)])).toEqual(told);
  });

  it('would not pass with a code too few, too many, or under another status', () => {
    const page = read('docs/errors.md');
    const without = page.replace(/^\| +`order_not_found`.*\n/m, '');
    expect([...inSource.keys()].filter((code) => !codesOf(without).has(code))).toEqual(['order_not_found']);
    expect(codesOf(`${page}| \`no_such_code\` | all | 400 | x | y |\n`).has('no_such_code')).toBe(true);
    expect(inDocs.get('order_not_found')).toBe('404');
  });
});

describe('the scanner', () => {
  it.each([
    ["class A { readonly code = 'gone_fishing'; }", [['gone_fishing', undefined]]],
    ["class A { declare readonly code: 'gone_fishing'; }", [['gone_fishing', undefined]]],
    ["class A { readonly code = 'gone'; readonly kind = 'conflict'; }", [['gone', '409']]],
    [
      "const code = status === 404 ? 'no_route' : 'odd';",
      [
        ['no_route', undefined],
        ['odd', undefined],
      ],
    ],
    [
      "export const X_ERRORS = { not_here: 'not_found', busy: 'unavailable' } as const;",
      [
        ['not_here', '404'],
        ['busy', '503'],
      ],
    ],
    ["throw new AuthError('unauthenticated', 'key_lost', 'Where is it?');", [['key_lost', '401']]],
    ["return problem(500, 'Internal', 'it_broke', detail);", [['it_broke', undefined]]],
    ["if (code === 'not_an_assignment') return;", []],
  ])('finds what is in %s', (source, codes) => {
    expect([...codesIn(source)]).toEqual(codes);
  });
});
