import { transformSync } from 'esbuild';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { edit, mustRunIn, root, runIn, type Finished } from './package.ts';

export type Kind = 'ESM' | 'CJS';

/** A project of somebody else, which has nothing but one library of ours. */
export type Project = {
  kind: Kind;
  pathOf: (file: string) => string;
  write: (file: string, text: string) => void;
  run: (command: string, ...args: string[]) => Finished;
  /** Runs TypeScript as a program. */
  script: (source: string) => Finished;
  /** Runs TypeScript that uses node:test; the output is TAP. */
  test: (source: string, options?: ScriptOptions) => Finished;
  /** Checks files as strictly as it goes: none of the libraries' own types is skipped. `types` are global ones: `node`. */
  compile: (files: string[], types: string[]) => Finished;
  /** Makes packages of this repository look installed, where they are not. */
  link: (...packages: string[]) => void;
};
type ScriptOptions = { experimentalDecorators?: boolean };

const STRICT = {
  ...{ module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', lib: ['es2022', 'dom'] },
  ...{ strict: true, skipLibCheck: false, noEmit: true },
};

/**
 * Installs a tarball in two new projects, whose packages differ in `type` only: what npm installs is the same. Without network
 * where npm's cache has all that it depends on: a registry that is slow or away is not what is tested.
 */
export function emptyProjects(tarball: string, home: string): Record<Kind, Project> {
  const folders = { ESM: join(home, 'ESM'), CJS: join(home, 'CJS') };
  mkdirSync(folders.ESM);
  writeFileSync(join(folders.ESM, 'package.json'), '{"name":"empty","private":true,"type":"module"}');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', tarball];
  if (runIn(folders.ESM, 'npm', 'install', '--offline', ...options).status !== 0)
    mustRunIn(folders.ESM, 'npm', 'install', '--prefer-offline', ...options);
  cpSync(folders.ESM, folders.CJS, { recursive: true, verbatimSymlinks: true });
  edit(join(folders.CJS, 'package.json'), (text) => text.replace('"module"', '"commonjs"'));
  return { ESM: projectIn(folders.ESM, 'ESM'), CJS: projectIn(folders.CJS, 'CJS') };
}

function projectIn(folder: string, kind: Kind): Project {
  const pathOf: Project['pathOf'] = (file) => join(folder, file);
  const write: Project['write'] = (file, text) => writeFileSync(pathOf(file), text);
  const run: Project['run'] = (command, ...args) => runIn(folder, command, ...args);
  return {
    ...{ kind, pathOf, write, run },
    script: (source) => {
      write('script.js', scriptOf(source, kind));
      return run('node', 'script.js');
    },
    test: (source, options) => {
      write('test.js', scriptOf(source, kind, options));
      return run('node', '--test', '--test-reporter=tap', 'test.js');
    },
    compile: (files, types) => {
      write('tsconfig.json', JSON.stringify({ compilerOptions: { ...STRICT, types }, files }));
      return run('tsc', '-p', '.');
    },
    link: (...packages) => {
      for (const name of packages) {
        const target = pathOf(join('node_modules', name));
        if (existsSync(target)) continue;
        mkdirSync(dirname(target), { recursive: true });
        symlinkSync(join(root, 'node_modules', name), target);
      }
    },
  };
}

/** The JavaScript of a TypeScript source: as it is for ESM; for CJS with `require`, and its `await`s in a function. */
function scriptOf(source: string, kind: Kind, { experimentalDecorators = true }: ScriptOptions = {}): string {
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
