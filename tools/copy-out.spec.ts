import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  install,
  link,
  mustRunIn,
  pack,
  packLibrary,
  runIn,
  scriptOf,
  type Kind,
} from './copy-out/package.ts';
import { blockOf, shows } from './readme.ts';

/**
 * `libs/resilience` leaves the house: packed, installed into empty projects outside of the repository, and used there.
 * Real: the build, npm, Node's resolution, the compiler, publint and attw. No registry and no engine is needed.
 */
jest.setTimeout(120_000);

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const fixture = (name: string) => read(`tools/copy-out/${name}.fixture.ts`);
const PEERS = ['@nestjs/common', '@nestjs/core', '@opentelemetry/api'];

let home: string;
let tarball: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'cairn-copy-out-'));
  tarball = packLibrary('resilience', join(home, 'source'));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe.each<Kind>(['ESM', 'CJS'])('in an empty %s project', (kind) => {
  let project: string;
  const write = (name: string, text: string) => writeFileSync(join(project, name), text);
  const testIn = (name: string, source: string) => {
    write(name, source);
    return runIn(project, 'node', '--test', '--test-reporter=tap', name);
  };

  beforeAll(() => {
    project = join(home, kind);
    install(tarball, project, kind);
  });

  it('is the only package there', () => {
    const { stdout } = mustRunIn(project, 'npm', 'ls', '--all', '--parseable');
    const folders = stdout
      .trim()
      .split('\n')
      .map((folder) => folder.split('node_modules/')[1]);
    expect(folders).toEqual([undefined, '@cairn/resilience']);
  });

  it("prints what the README's example says", () => {
    const page = read('libs/resilience/README.md');
    write('example.js', scriptOf(blockOf(page, 'ts'), kind));
    const { status, output } = runIn(project, 'node', 'example.js');
    expect(status).toBe(0);
    if (!shows(blockOf(page, 'text'), output)) expect(output).toBe(blockOf(page, 'text'));
  });

  it.each([
    ['of TypeScript', true],
    ['of ECMAScript', false],
  ])('keeps its promises, with decorators %s', (_, experimentalDecorators) => {
    const { status, output } = testIn(
      'promises.test.js',
      scriptOf(fixture('promises'), kind, { experimentalDecorators }),
    );
    expect([status, output]).toEqual([0, expect.stringMatching(/^# pass 9$/m)]);
  });

  it('sees a promise that is broken', () => {
    const broken = fixture('promises').replace("openFor: '30s'", "openFor: '31s'");
    const { status, output } = testIn('broken.test.js', scriptOf(broken, kind));
    expect([status, output]).toEqual([1, expect.stringMatching(/^# pass 8\n# fail 1$/m)]);
  });

  it('has types for ts, mts and cts, without skipping those of the library', () => {
    const compilerOptions = {
      ...{ module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', strict: true },
      ...{ noEmit: true, skipLibCheck: false, lib: ['es2022', 'dom'], types: [] },
    };
    const files = ['ts', 'mts', 'cts'].map((extension) => `consumer.${extension}`);
    for (const file of files) write(file, fixture('consumer'));
    write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    expect(runIn(project, 'tsc', '-p', '.')).toMatchObject({ status: 0, output: '' });
    write('consumer.ts', fixture('consumer').replace('3, idempotent', "'3', idempotent"));
    expect(runIn(project, 'tsc', '-p', '.').output).toContain(
      "Type 'string' is not assignable to type 'number'",
    );
  });

  it('says which peer is missing in an entry that needs one, and only there', () => {
    for (const [entry, peer] of [
      ['otel', '@opentelemetry/api'],
      ['nest', '@nestjs/'],
    ]) {
      write('entry.js', scriptOf(`import '@cairn/resilience/${entry}';`, kind));
      expect(runIn(project, 'node', 'entry.js').output).toMatch(
        new RegExp(`Cannot find (package|module) '${peer}`),
      );
    }
    write('entry.js', scriptOf("import '@cairn/resilience'; import '@cairn/resilience/testing';", kind));
    expect(runIn(project, 'node', 'entry.js')).toMatchObject({ status: 0, output: '' });
  });

  it('works with its peers where they are installed', () => {
    link(project, ...PEERS, '@opentelemetry/sdk-metrics', 'reflect-metadata');
    const { status, output } = testIn('peers.test.js', scriptOf(fixture('peers'), kind));
    expect([status, output]).toEqual([0, expect.stringMatching(/^# pass 2$/m)]);
  });
});

describe('errors of two copies, one by import and one by require', () => {
  it('are told apart by code, and rejections by isRejection', () => {
    const file = join(home, 'ESM', 'both.js');
    writeFileSync(
      file,
      `import { createRequire } from 'node:module';
       import { isRejection, CircuitOpenError } from '@cairn/resilience';
       const theirs = createRequire(import.meta.url)('@cairn/resilience');
       const error = new theirs.CircuitOpenError('billing', 1);
       console.log(error instanceof CircuitOpenError, isRejection(error), error.code);`,
    );
    expect(runIn(join(home, 'ESM'), 'node', 'both.js').output).toBe('false true circuit_open\n');
  });
});

describe('the package', () => {
  const publint = (path: string) => runIn(home, 'publint', 'run', path, '--strict');
  const attw = (path: string) => runIn(home, 'attw', path, '--format', 'ascii', '--no-emoji');

  it('has nothing in it that publint or attw complain of', () => {
    expect(publint(tarball)).toMatchObject({ status: 0, output: expect.stringContaining('All good!') });
    expect(attw(tarball)).toMatchObject({ status: 0, output: expect.stringContaining('No problems found') });
  });

  it('ships the sources that its source maps point to, and neither tests nor build notes', () => {
    const files = mustRunIn(home, 'tar', '-tzf', tarball).stdout.trim().split('\n');
    expect(files).toEqual(
      expect.arrayContaining(
        [
          'README.md',
          'LICENSE',
          'CHANGELOG.md',
          'src/pipeline.ts',
          'dist/pipeline.js',
          'cjs/package.json',
        ].map((file) => `package/${file}`),
      ),
    );
    expect(files.filter((file) => /spec|fixture|tsbuildinfo|model|node_modules/.test(file))).toEqual([]);
  });

  const planted: [
    string,
    (folder: string) => void,
    (path: string) => { status: number | null; output: string },
    RegExp,
  ][] = [
    [
      'an export that points to a file that is not there',
      (folder) => editManifest(folder, (text) => text.replace('./dist/otel/index.js', './dist/otel/main.js')),
      publint,
      /exports\["\.\/otel"\].*main\.js but the file does not exist/,
    ],
    [
      'types that are not there',
      (folder) =>
        editManifest(folder, (text) => text.replaceAll('dist/testing/index.d.ts', 'dist/testing.d.ts')),
      attw,
      /Resolution failed|No types/,
    ],
    [
      'CommonJS that says it were ESM',
      (folder) => rmSync(join(folder, 'cjs/package.json')),
      attw,
      /Masquerading as ESM|false-esm|ESM \(dynamic import only\)/i,
    ],
  ];

  it.each(planted)('would not pass with %s', (what, plant, check, complaint) => {
    const into = join(home, what.replaceAll(' ', '-'));
    mkdirSync(into);
    mustRunIn(home, 'tar', '-xzf', tarball, '-C', into);
    plant(join(into, 'package'));
    const { status, output } = check(pack(join(into, 'package'), into, '--ignore-scripts'));
    expect([status, output]).toEqual([1, expect.stringMatching(complaint)]);
  });
});

function editManifest(folder: string, edit: (text: string) => string): void {
  const file = join(folder, 'package.json');
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
}
