import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '../../stack/paths.ts';
import type { Guard } from './guards.ts';

/** What is made by tools, or is no source. */
const LEFT_OUT = new Set(['.git', '.stack', '.nx', 'node_modules', 'dist', 'bundle']);

/**
 * A copy of this checkout with its changes, to be spoilt. Packages are those of the checkout, one link each; only the links
 * of `@cairn` are copied, as they lead to sources, which are to be those of the copy.
 */
export function copyOfCheckout() {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-controls-'));
  cpSync(repoRoot, folder, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !LEFT_OUT.has(source.split('/').at(-1)!),
  });
  const packages = join(repoRoot, 'node_modules');
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(packages)) {
    const [from, to] = [join(packages, name), join(folder, 'node_modules', name)];
    if (name === '@cairn') cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Takes a guard out of the copy; the function that is returned puts it back. */
export function takeOut({ file, text, without }: Guard, folder: string): () => void {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  if (occurrences(source, text) !== 1) throw new Error(`${file} does not have this once: ${text}`);
  writeFileSync(
    path,
    source.replace(text, () => without),
  );
  return () => writeFileSync(path, source);
}

const occurrences = (source: string, text: string) => source.split(text).length - 1;

/** What is wrong with a guard, before anything is run. */
export function complaintsOf({ file, text, without, spec, test }: Guard, root = repoRoot): string[] {
  const read = (path: string) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;
  const [source, tests] = [read(file), read(spec)];
  if (source === undefined) return [`${file} is not there`];
  if (tests === undefined) return [`${spec} is not there`];
  const found = occurrences(source, text);
  return [
    ...(found === 1 ? [] : [`"${text}" is found ${found} times in ${file}`]),
    ...(text === without ? ['nothing is taken out'] : []),
    ...(occurrences(tests, `'${test}'`) === 1 ? [] : [`${spec} has no test '${test}'`]),
  ];
}
