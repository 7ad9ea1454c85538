import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockOf, shows } from '../readme.ts';
import { edit, mustRunIn, packLibrary, repack, root, runIn } from './package.ts';
import { emptyProjects, type Kind, type Project } from './project.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

export type Library = {
  name: string;
  /** Is there a build for CommonJS, or does `require` load the one for ESM? */
  cjs: boolean;
  /** Entries that work with nothing else installed. */
  alone: string[];
  /** Programs that want a package of somebody else, and what they say without it. */
  missing: Record<string, RegExp>;
  /** Does a type of the library name one of Node's, so that people need @types/node? */
  nodeTypes: boolean;
  /** What `peers.fixture.ts` needs; links to packages of this repository. */
  peers: string[];
  /** A slip in `consumer.fixture.ts`, and what the compiler says of it. */
  slip: { instead: string; of: string; complaint: string };
  /** Files that must be in the package, beside README, licence, changelog and package.json. */
  files: string[];
  /** Faults of a package, and who complains of them how. None, where another library of this form has shown it. */
  planted?: Planted[];
};
export type Planted = {
  what: string;
  plant: (folder: string) => void;
  by: 'publint' | 'attw';
  complaint: RegExp;
};
/**
 * Declares what is tested of every library that is meant to be copied: packed, installed into empty projects outside of the
 * repository, and used there. Fixtures are in the folder of its name.
 *
 * @param also what is tested of this one only, in each of the projects
 */
export function leaves(library: Library, also: (project: () => Project) => void = () => {}): void {
  const { name } = library;
  let home: string;
  let tarball: string;
  let projects: Record<Kind, Project>;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), `cairn-${name}-`));
    tarball = packLibrary(name, join(home, 'source'));
    projects = emptyProjects(tarball, home);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  describe.each<Kind>(['ESM', 'CJS'])('in an empty %s project', (kind) => {
    const project = () => projects[kind];
    describeUse(library, kind, project);
    if (kind === 'ESM') describeTypes(library, project);
    also(project);
    describePeers(library, project);
  });
  describe('the package', () => describePackage(library, () => tarball));
}

/** Slips in a library that its example must not survive. */
const SLIPS: { what: string; slip: string; complaint: RegExp; only?: Kind }[] = [
  {
    what: 'an import of another library of ours',
    slip: "import '@cairn/http';",
    complaint: /Cannot find (package|module) '@cairn\/http'/,
  },
  {
    what: 'an await at its top, which require cannot wait for',
    slip: 'await null;',
    complaint: /ERR_REQUIRE_ASYNC_MODULE/,
    only: 'CJS',
  },
];

/** What it does with nothing but its own dependencies installed. */
function describeUse({ name, cjs, alone, missing }: Library, kind: Kind, project: () => Project): void {
  const manifest = JSON.parse(read(`libs/${name}/package.json`)) as { dependencies?: object };
  const page = read(`libs/${name}/README.md`);

  it('comes with what it depends on, and with no other package of ours', () => {
    const { status, stdout } = project().run('npm', 'ls', '--all', '--json');
    expect(status).toBe(0);
    type Installed = { version?: string; dependencies?: Record<string, Installed> };
    // An optional peer that is not there is listed, without a version.
    const namesIn = ({ dependencies = {} }: Installed) =>
      Object.keys(dependencies)
        .filter((each) => dependencies[each]!.version)
        .sort();
    const tree = JSON.parse(stdout) as Installed;
    expect(namesIn(tree)).toEqual([`@cairn/${name}`]);
    const own = namesIn(tree.dependencies![`@cairn/${name}`]!);
    expect(own).toEqual(Object.keys(manifest.dependencies ?? {}).sort());
    expect(stdout.match(/"@cairn\/[^"]*": \{/g)).toEqual([`"@cairn/${name}": {`]);
  });

  it("prints what the README's example says", () => {
    expect(blockOf(page, 'ts')).toContain(`'@cairn/${name}'`);
    const { status, output } = project().script(blockOf(page, 'ts'));
    if (!shows(blockOf(page, 'text'), output)) expect(output).toBe(blockOf(page, 'text'));
    expect(status).toBe(0);
  });

  const isCjsBuild = cjs && kind === 'CJS';
  it.each(SLIPS.filter(({ only }) => !only || (only === kind && !cjs)))(
    'would not, with $what',
    ({ slip, complaint }) => {
      const index = project().pathOf(
        `node_modules/@cairn/${name}/${isCjsBuild ? 'cjs/dist' : 'dist'}/index.js`,
      );
      const before = readFileSync(index, 'utf8');
      edit(index, (text) => `${isCjsBuild ? slip.replace(/import (.*);/, 'require($1);') : slip}\n${text}`);
      const { status, output } = project().script(blockOf(page, 'ts'));
      writeFileSync(index, before);
      expect([status, output]).toEqual([1, expect.stringMatching(complaint)]);
    },
  );

  it('says which peer is missing where one is needed, and only there', () => {
    for (const [program, complaint] of Object.entries(missing)) {
      const { status, output } = project().script(program);
      expect([status, output]).toEqual([1, expect.stringMatching(complaint)]);
    }
    const imports = alone.map((entry) => `import '@cairn/${join(name, entry)}';`);
    expect(project().script(imports.join('\n'))).toMatchObject({ status: 0, output: '' });
  });
}

/** By the extension it is said whether `import` or `require` is meant: one project is enough. */
function describeTypes({ name, nodeTypes, slip }: Library, project: () => Project): void {
  it('has types for ts, mts and cts, without skipping those of the library, and they find a slip', () => {
    if (nodeTypes) project().link('@types/node', 'undici-types');
    const consumer = read(`tools/copy-out/${name}/consumer.fixture.ts`);
    for (const extension of ['ts', 'mts', 'cts']) project().write(`consumer.${extension}`, consumer);
    const files = ['consumer.ts', 'consumer.mts', 'consumer.cts', 'slip.ts'];
    project().write('slip.ts', consumer.replace(slip.of, slip.instead));
    const { output } = project().compile(files, nodeTypes ? ['node'] : []);
    const errors = output.match(/^\S.*error TS.*$/gm);
    expect(errors).toEqual([expect.stringMatching(/^slip\.ts\(/)]);
    expect(output).toContain(slip.complaint);
  });
}

function describePeers({ name, peers }: Library, project: () => Project): void {
  if (peers.length === 0) return;
  it('works with its peers where they are installed', () => {
    project().link(...peers);
    const source = read(`tools/copy-out/${name}/peers.fixture.ts`);
    const tests = source.match(/^void test\(/gm)!.length;
    const { status, output } = project().test(source);
    expect([status, output]).toEqual([0, expect.stringMatching(new RegExp(`^# pass ${tests}$`, 'm'))]);
  });
}

/** Slips that every package could have, and who must see them. */
export const FAULTS: Planted[] = [
  {
    what: 'an export that points to a file that is not there',
    plant: (folder) =>
      edit(join(folder, 'package.json'), (text) => text.replace('dist/index.js', 'dist/main.js')),
    by: 'publint',
    complaint: /main\.js but the file does not exist/,
  },
  {
    what: 'types that are not there',
    plant: (folder) =>
      edit(join(folder, 'package.json'), (text) => text.replaceAll('dist/index.d.ts', 'dist/main.d.ts')),
    by: 'attw',
    complaint: /Resolution failed|No types/,
  },
];

function describePackage({ cjs, files, planted = [] }: Library, tarball: () => string): void {
  const complaintsOf = {
    publint: (path: string) => runIn(join(path, '..'), 'publint', 'run', path, '--strict'),
    attw: (path: string) => {
      const profile = cjs ? [] : ['--profile', 'esm-only'];
      return runIn(join(path, '..'), 'attw', path, '--format', 'ascii', '--no-emoji', ...profile);
    },
  };

  it('has nothing in it that publint or attw complain of', () => {
    const [publint, attw] = [complaintsOf.publint(tarball()), complaintsOf.attw(tarball())];
    expect(publint).toMatchObject({ status: 0, output: expect.stringContaining('All good!') });
    expect(attw).toMatchObject({ status: 0, output: expect.stringMatching(/OK|No problems found/) });
  });

  it('ships the sources that its source maps point to, and neither tests nor build notes', () => {
    const shipped = mustRunIn(root, 'tar', '-tzf', tarball()).stdout.trim().split('\n');
    const always = [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'src/index.ts',
      'dist/index.js',
      'dist/index.d.ts',
    ];
    expect(shipped).toEqual(expect.arrayContaining([...always, ...files].map((file) => `package/${file}`)));
    expect(
      shipped.filter((file) => /\.(spec|fixture|tsbuildinfo|env)\b|\/(model|node_modules)\//.test(file)),
    ).toEqual([]);
    const maps = shipped.filter((file) => file.startsWith('package/dist/') && file.endsWith('.js.map'));
    const sources = maps.map((file) => file.replace('/dist/', '/src/').replace('.js.map', '.ts'));
    expect(shipped).toEqual(expect.arrayContaining(sources));
  });

  if (planted.length === 0) return;
  it.each(planted)('would not pass with $what', ({ what, plant, by, complaint }) => {
    const into = join(tarball(), '../..', what.replaceAll(' ', '-'));
    const { status, output } = complaintsOf[by](repack(tarball(), into, plant));
    expect([status, output]).toEqual([1, expect.stringMatching(complaint)]);
  });
}
