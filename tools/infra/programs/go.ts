import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findProgram } from '../../stack/programs.ts';
import type { Say } from '../check.ts';
import { cached, pinOf, told } from './cache.ts';
import { runOrFail } from './run.ts';

const modules = join(import.meta.dirname, '../go');
/** Two compilers at a time would need the memory of both and be no faster. */
let last: Promise<unknown> = Promise.resolve();

/**
 * The binary of a tool that is pinned, with all its modules and their hashes, by `tools/infra/go/<name>/{go.mod,go.sum}`. Its
 * package is the one of the `tool` line there. Built once.
 * @returns its path
 * @throws Error when it has to be built and there is no Go, or the build fails
 */
export function goTool(name: string, progress: Say): Promise<string> {
  const folder = join(modules, name);
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const mod = read('go.mod');
  const main = /^tool (\S+)$/m.exec(mod)?.[1];
  if (main === undefined)
    throw new Error(`tools/infra/go/${name}/go.mod names no \`tool\`: add the line with its package`);
  // One of ours has its code there as well.
  const own = globSync('*.go', { cwd: folder }).sort().map(read);
  return cached(`${name}-${pinOf(mod, read('go.sum'), ...own)}`, (draft) => {
    const turn = last.then(() =>
      build({ name, folder, main, version: versionOf(mod, main), draft }, progress),
    );
    last = turn.catch(() => undefined); // whoever asked for it is told
    return turn;
  });
}

type Build = { name: string; folder: string; main: string; version: string; draft: string };

async function build({ name, folder, main, version, draft }: Build, progress: Say): Promise<void> {
  const go = findProgram('go');
  if (!go) {
    throw new Error(
      `Go is missing, ${name} is built by it: apt-get install golang-go, or see go.dev/doc/install`,
    );
  }
  // GOGC: the compiler collects less often and is a quarter faster, for some memory. -s -w: no debug tables.
  const env = { ...process.env, GOGC: '400', GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' };
  const args = ['build', '-v', '-trimpath', '-mod=readonly', '-ldflags=-s -w', '-o', draft, main];
  let packages = 0;
  const onStderr = (text: string) => {
    packages += text.split('\n').filter((line) => line && !line.startsWith('go:')).length;
  };
  await told(
    progress,
    `building ${name} ${version} by Go, once`,
    () => runOrFail(go, args, { cwd: folder, env, onStderr }),
    () => `${packages} packages`,
  );
}

/** The version of the module that holds the package: the longest path that begins it. */
export function versionOf(mod: string, main: string): string {
  const required = [...mod.matchAll(/^(?:require )?\s*(\S+) (v\S+)(?: \/\/ indirect)?$/gm)];
  const holding = required.filter(([, path = '']) => main === path || main.startsWith(`${path}/`));
  const [longest] = holding.toSorted(([, a = ''], [, b = '']) => b.length - a.length);
  return longest?.[2] ?? basename(main);
}
