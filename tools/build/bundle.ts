import { build, type Plugin } from 'esbuild';
import { createHash } from 'node:crypto';
import { cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { packageFolders, sbomOf, type Component, type Manifest, type Sbom } from './sbom.ts';

/**
 * Bundles an app from what `tsc` emitted into `<app>/bundle`. A start then reads a handful of files instead of two
 * thousand, which is most of the time to ready. What is loaded by name beside `main.js` (a worker thread, telemetry) is
 * listed in the app's package.json under `cairn.entries`; what can't be bundled under `cairn.external`: drivers that
 * instrumentation patches, and packages that read files beside themselves.
 */
export type BundleTarget = { dir: string; entries: string[]; external: string[] };

export async function bundleTarget(dir: string): Promise<BundleTarget> {
  const manifest = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as {
    cairn?: { entries?: string[]; external?: string[] };
  };
  return {
    dir,
    entries: ['dist/src/main.js', ...(manifest.cairn?.entries ?? [])],
    external: manifest.cairn?.external ?? [],
  };
}

/** Bundles anew when something has changed that goes into the bundle; resolves with whether it did. */
export async function bundle(target: BundleTarget): Promise<boolean> {
  const { dir, entries, external } = target;
  const outdir = join(dir, 'bundle');
  const stamp = join(outdir, '.inputs');
  const inputs = await inputsOf(target);
  if ((await readFile(stamp, 'utf8').catch(() => '')) === inputs) return false;
  await rm(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    metafile: true,
    entryPoints: entries.map((entry) => join(dir, entry)),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Nest finds providers by class name; TypeORM names migrations after their class.
    keepNames: true,
    // Names stay, and lines stay short enough to be found: a stack trace can be read. Source maps would cost 80 MB a process,
    // blanks 5 MB.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: 'none',
    logLevel: 'warning',
    external,
    plugins: [leaveOutMissingPeers, leaveOutUnused, formatDatesWhenAsked],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  await writeFile(join(outdir, 'package.json'), '{ "type": "module" }\n');
  const packages = packageFolders(Object.keys(metafile.inputs)).map(manifestIn);
  await writeSbom(dir, await Promise.all(packages));
  await writeFile(stamp, inputs);
  return true;
}

/** A hash of what `tsc` noted about the sources of the app and our libraries, of the lock file, and of what makes it. */
async function inputsOf({ dir, ...settings }: BundleTarget): Promise<string> {
  const notes: string[] = [];
  const patterns = ['libs/*/tsconfig.tsbuildinfo', `${dir}/dist/tsconfig.tsbuildinfo`];
  for await (const note of glob(patterns)) notes.push(note);
  const hash = createHash('sha256').update(JSON.stringify(settings));
  const tools = ['bundle.ts', 'sbom.ts'].map((file) => join(import.meta.dirname, file));
  for (const file of [...notes.sort(), 'package-lock.json', ...tools]) {
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

/** Nest and TypeORM try dozens of optional packages. Those that are not installed stay imports that fail at run time. */
const leaveOutMissingPeers: Plugin = {
  name: 'leave-out-missing-peers',
  setup({ onResolve, resolve }) {
    const seen = Symbol('seen');
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === seen) return undefined;
      const result = await resolve(path, { ...options, pluginData: seen });
      return result.errors.length ? { path, external: true } : result;
    });
  },
};

/**
 * What nobody here uses, and what would stay in memory once it is loaded: zod's messages in 50 languages, and TypeORM's drivers
 * of other databases. Together a tenth of a bundle.
 */
const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  setup({ onLoad }) {
    const english = 'export { default as en } from "./en.js";';
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: english }));
    const others =
      'aurora|better-sqlite3|capacitor|cockroachdb|cordova|expo|mongodb|mysql|nativescript|oracle|react';
    const drivers = new RegExp(`typeorm/driver/(${others}|sap|spanner|sqlite|sqljs)[^/]*/[^/]+\\.js$`);
    onLoad({ filter: drivers }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * Nest makes the date format of its loggers when they are loaded, which maps 6 MB of ICU's data and takes 2 MB more, in every
 * process, for lines that ours never write: they have a logger of their own.
 */
const formatDatesWhenAsked: Plugin = {
  name: 'format-dates-when-asked',
  setup({ onLoad }) {
    onLoad({ filter: /@nestjs\/common\/services\/(console-)?logger\.service\.js$/ }, async ({ path }) => {
      const eager = /const dateTimeFormatter = (new Intl\.DateTimeFormat\([^;]*\));/;
      const text = await readFile(path, 'utf8');
      if (!eager.test(text)) throw new Error(`${path} is not what it was: is this still needed?`);
      const contents = text.replace(
        eager,
        'let made; const dateTimeFormatter = { format: (date) => (made ??= $1).format(date) };',
      );
      return { contents };
    });
  },
};

/** What no process reads: documentation, types, source maps, the package manager that built a package. Licences stay. */
const READ_BY_PEOPLE = /\.(md|map|[cm]?ts)$|\/\.yarn$/;

/** Copies the external packages and all that they need into `<app>/bundle/node_modules`, for the image. */
export async function copyExternals({ dir, external }: BundleTarget): Promise<string[]> {
  const copied = new Map<string, string>();
  const visit = async (name: string, from: string, optional: boolean): Promise<void> => {
    if (copied.has(name)) return;
    const root = packageRoot(name, from);
    if (!root) {
      if (optional) return;
      throw new Error(`${name}, needed by ${from}, is not installed. Run "npm ci".`);
    }
    copied.set(name, root);
    const target = join(dir, 'bundle/node_modules', name);
    await mkdir(dirname(target), { recursive: true });
    await cp(root, target, {
      recursive: true,
      dereference: true,
      filter: (path) => !path.slice(root.length).includes('node_modules') && !READ_BY_PEOPLE.test(path),
    });
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, object>;
    for (const dependency of Object.keys(manifest['dependencies'] ?? {}))
      await visit(dependency, root, false);
    for (const dependency of Object.keys(manifest['optionalDependencies'] ?? {}))
      await visit(dependency, root, true);
  };
  for (const name of external) await visit(name, dir, false);
  const sbom = JSON.parse(await readFile(join(dir, 'bundle', SBOM), 'utf8')) as Sbom;
  await writeSbom(dir, [
    ...sbom.components.map(asManifest),
    ...(await Promise.all([...copied.values()].map(manifestIn))),
  ]);
  return [...copied.keys()];
}

/** Beside the code, so that an image says itself what is in it. */
const SBOM = 'sbom.cdx.json';

async function writeSbom(dir: string, packages: Manifest[]): Promise<void> {
  const sbom = sbomOf(await manifestIn(dir), packages);
  await writeFile(join(dir, 'bundle', SBOM), `${JSON.stringify(sbom, null, 1)}\n`);
}

async function manifestIn(folder: string): Promise<Manifest> {
  const { name, version, license } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  return { name, version, ...(typeof license === 'string' && { license }) };
}

const asManifest = ({ name, version, licenses }: Component): Manifest => ({
  ...{ name, version },
  ...(licenses && { license: licenses[0]!.expression }),
});

function packageRoot(name: string, from: string): string | undefined {
  for (const folder of createRequire(resolve(from, 'package.json')).resolve.paths(name) ?? []) {
    try {
      return dirname(createRequire(import.meta.url).resolve(join(folder, name, 'package.json')));
    } catch {
      // Not in this folder; the next one up.
    }
  }
  return undefined;
}
