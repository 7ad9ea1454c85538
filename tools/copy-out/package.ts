import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A library of this repository, built and packed elsewhere, so that no build that is in use is touched. */
export const root = join(import.meta.dirname, '../..');
const bin = join(root, 'node_modules/.bin');

export type Finished = { status: number | null; output: string; stdout: string };

/** Runs a program to its end, in a folder. Programs of this repository are found, packages of it are not. */
export function runIn(cwd: string, command: string, ...args: string[]): Finished {
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, NO_COLOR: '1' };
  // What jest, npm and the runner of node:test tell their children.
  for (const name of Object.keys(env)) if (/^(NODE_|npm_|FORCE_COLOR)/i.test(name)) delete env[name];
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, output: stdout + stderr, stdout };
}

export function mustRunIn(cwd: string, command: string, ...args: string[]): Finished {
  const finished = runIn(cwd, command, ...args);
  if (finished.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed (${finished.status}):\n${finished.output}`);
  }
  return finished;
}

/** Builds and packs a library as `npm publish` would. @returns the path of the tarball */
export function packLibrary(lib: string, into: string): string {
  const copy = join(into, 'libs', lib);
  mkdirSync(copy, { recursive: true });
  const skip = /^(dist|node_modules|.*\.(tsbuildinfo|tgz))$/;
  cpSync(join(root, 'libs', lib), copy, { recursive: true, filter: (path) => !skip.test(basename(path)) });
  cpSync(join(root, 'tsconfig.base.json'), join(into, 'tsconfig.base.json'));
  symlinkSync(join(root, 'node_modules'), join(into, 'node_modules'));
  return pack(copy, into);
}

/** Packs a folder that is a package. */
export function pack(folder: string, into: string, ...args: string[]): string {
  mustRunIn(folder, 'npm', 'pack', '--pack-destination', into, ...args);
  return join(
    into,
    readdirSync(into).find((name) => name.endsWith('.tgz'))!,
  );
}

/** The tarball's folder, unpacked, changed and packed again, as a slip of ours would have left it. */
export function repack(tarball: string, into: string, change: (folder: string) => void): string {
  mkdirSync(into);
  mustRunIn(into, 'tar', '-xzf', tarball);
  change(join(into, 'package'));
  return pack(join(into, 'package'), into, '--ignore-scripts');
}

export function edit(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing to change in ${file}`);
  writeFileSync(file, after);
}
