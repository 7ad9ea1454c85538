import { transformSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A library of this repository, built and packed elsewhere, so that no build that is in use is touched. */
const root = join(import.meta.dirname, '../..');
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

export type Kind = 'ESM' | 'CJS';

/** An empty project with the package in it. Offline: a package without dependencies needs no registry. */
export function install(tarball: string, project: string, kind: Kind): void {
  mkdirSync(project, { recursive: true });
  const manifest = { name: 'empty', private: true, type: kind === 'ESM' ? 'module' : 'commonjs' };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  mustRunIn(project, 'npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball);
}

/** Makes packages of this repository look installed. */
export function link(project: string, ...packages: string[]): void {
  for (const name of packages) {
    const target = join(project, 'node_modules', name);
    mkdirSync(join(target, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), target);
  }
}

/** The JavaScript of a TypeScript source: as it is for ESM; for CJS with `require`, and its `await`s in a function. */
export function scriptOf(source: string, kind: Kind, { experimentalDecorators = true } = {}): string {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators, verbatimModuleSyntax: false } };
  const { code } = transformSync(source, { loader: 'ts', format: 'esm', target: 'es2022', tsconfigRaw });
  if (kind === 'ESM') return code;
  const IMPORT = /^import (?:(\{[^}]*\}|\w+) from )?("[^"]*");$/gm;
  const requires = [...code.matchAll(IMPORT)].map(([, names, module]) => {
    const required = `require(${module})`;
    return names === undefined ? `${required};` : `const ${names.replaceAll(' as ', ': ')} = ${required};`;
  });
  return `${requires.join('\n')}\nvoid (async () => {\n${code.replace(IMPORT, '')}})();\n`;
}
