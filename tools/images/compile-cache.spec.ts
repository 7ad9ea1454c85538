import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '../stack/paths.ts';

/** The line of the Dockerfile that fills V8's compile cache, here on a bundle of two files. Whole images: `--reproduce`. */
const dockerfile = readFileSync(join(repoRoot, 'infra/docker/app.Dockerfile'), 'utf8');
const [, flags = '', script = ''] = /^RUN node (.*)-e "(.*)" \\$/m.exec(dockerfile) ?? [];
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-compiled-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'chunk-a.js'),
    'export const total = (prices) => prices.reduce((a, b) => a + b, 0);',
  );
  writeFileSync(
    join(folder, 'start-a.js'),
    "import { total } from './chunk-a.js';\nglobalThis.sum = total([1, 2]);",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Names and contents of what is written, as one hash. */
function compiled(name: string, withFlags: string[]): { files: number; hash: string } {
  const place = join(folder, name);
  execFileSync(process.execPath, [...withFlags, '-e', script], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: place },
  });
  const files = globSync('*/*', { cwd: place }).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(place, file)));
  return { files: files.length, hash: hash.digest('hex') };
}

describe('the compile cache of an image', () => {
  const given = flags.trim().split(' ');

  it('is the same whenever it is made', () => {
    const first = compiled('first', given);
    expect(first.files).toBeGreaterThanOrEqual(2); // ours, and what Node has made of the script itself
    expect(compiled('again', given)).toEqual(first);
  });

  it('would be another without the seed', () => {
    expect(compiled('third', [])).not.toEqual(compiled('fourth', []));
  });

  it('is one that a process with another seed finds', () => {
    compiled('shared', given);
    const before = globSync('shared/*', { cwd: folder });
    compiled('shared', []);
    expect(globSync('shared/*', { cwd: folder })).toEqual(before);
    expect(before).toHaveLength(1);
  });
});
