import { expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repoRoot } from './stack/paths.ts';

/** What pages send their readers to is there: files that they link or name, and commands. */
const scripts = (
  JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
).scripts;

/** What is not there of what a page names; paths in `code` are from the root, links from the page. */
function missingIn(page: string, text: string): string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, to = '']) =>
    join(dirname(page), to),
  );
  // A placeholder is not a path; a pattern has to match something.
  const named = [...text.matchAll(/`((?:apps|contracts|docs|e2e|infra|libs|tools)\/[\w@.*{},/-]+)`/g)].map(
    ([, path = '']) => path,
  );
  const commands = [...text.matchAll(/\bnpm run (?:-s )?([\w:]+)/g)].map(([, name = '']) => name);
  return [
    ...links.filter((path) => !existsSync(join(repoRoot, path))),
    ...named.filter((path) => globSync(path, { cwd: repoRoot }).length === 0),
    ...commands.filter((name) => !Object.hasOwn(scripts, name)).map((name) => `npm run ${name}`),
  ];
}

const pages = globSync('{*.md,{apps,contracts,docs,infra,libs,tools}/**/*.md}', {
  cwd: repoRoot,
  exclude: (path) => /node_modules|bundle|dist/.test(path),
});

it.each(pages)('%s names nothing that is gone', (page) => {
  expect(missingIn(page, readFileSync(join(repoRoot, page), 'utf8'))).toEqual([]);
});

it('would miss a file, a pattern and a command that are gone', () => {
  const text = 'see [it](../gone.md), `infra/gone/*.yml`, `tools/<name>/x`, npm run gone, npm run demo';
  expect(missingIn('docs/deploy.md', text)).toEqual(['gone.md', 'infra/gone/*.yml', 'npm run gone']);
});
