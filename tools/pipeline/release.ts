import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sbom } from '../build/sbom.ts';
import { asked, docker, dockerBuild } from '../images/docker.client.ts';
import { scanArchive } from '../images/scan.ts';
import { advisoriesFor } from './advisories.ts';
import type { Cosign } from './cosign.client.ts';
import { textIn, type Crane } from './crane.client.ts';
import type { Delivery } from './promote.ts';

export type Source = {
  app: string;
  /** From the root: `apps/orders`. */
  folder: string;
  version: string;
  /** The commit, in full. */
  revision: string;
  /** When that was made (RFC 3339), not when it is built: the same commit gives the same image. */
  created: string;
  /** Where its sources are, as a URL. Default: not said. */
  url?: string;
};

export type Tools = { root: string; crane: Crane; cosign: Cosign; step: Delivery['step'] };
export type Built = { digest: string; components: number; files: number; advisories: string };

/** The platform whose layers are looked into. What the build puts into an image is the same on all: no machine code (see the scan). */
const LOOKED_AT = 'linux/amd64';
const BASE = 'node:24-bookworm-slim';

/**
 * Builds a commit's image and pushes it, once: a commit that has been released, or built by a run before, is not built again.
 *
 * @param repository `127.0.0.1:5000/cairn/orders`
 * @param platforms of a build for several: `['linux/amd64', 'linux/arm64']`. Default: the engine's own
 * @returns its digest
 */
export async function buildOnce(
  { root, crane, step }: Tools,
  source: Source,
  repository: string,
  platforms: readonly string[] = [],
): Promise<string> {
  const candidate = `${repository}:candidate-${source.revision}`;
  const known = (await crane.digest(`${repository}:${source.revision}`)) ?? (await crane.digest(candidate));
  if (known) return known;
  let line = '';
  const onLine = (text: string) => (line = text.slice(0, 70));
  await step(
    'build',
    candidate,
    () => build(root, source, candidate, { platforms, onLine }),
    () => line,
  );
  const digest = await crane.digest(candidate);
  if (!digest) throw new Error(`${candidate} was pushed, and the registry does not have it`);
  return digest;
}

/**
 * Makes a release of an image: bill of materials → scan → sign → the commit as its tag. That tag is written last, so what has it is
 * scanned and signed.
 *
 * @throws Error when the scan finds anything; nothing is signed then
 */
export async function release(
  { root, crane, cosign, step }: Tools,
  { revision }: Source,
  repository: string,
  digest: string,
): Promise<Built> {
  const image = `${repository}@${digest}`;
  const base = await baseLayers();
  return crane.pulled(image, LOOKED_AT, async (archive) => {
    const sbom = JSON.parse(textIn(archive, 'app/sbom.cdx.json')) as Sbom;
    const { files, finds } = await step('scan', 'every layer, for secrets, hosts and env files', () =>
      Promise.resolve(scanArchive(archive, { base })),
    );
    const advisories = await step('scan', 'its packages, for known weaknesses', () =>
      advisoriesFor(root, sbom.components),
    );
    const bad = [
      ...finds.map(({ rule, quote, where }) => `${rule} in ${where}: ${quote}`),
      ...advisories.found.map(({ name, severity, title }) => `${severity} in ${name}: ${title}`),
    ];
    if (bad.length) throw new Error(`${image} is not signed:\n  ${bad.join('\n  ')}`);
    await step('sign', 'the image and its bill of materials', () => sign(cosign, image, sbom));
    await crane.tag(image, revision);
    const said = advisories.asked ? 'none' : `not asked: ${advisories.why}`;
    return { digest, components: sbom.components.length, files, advisories: said };
  });
}

type BuildOptions = { platforms: readonly string[]; onLine: (line: string) => void };

async function build(
  root: string,
  source: Source,
  tag: string,
  { platforms, onLine }: BuildOptions,
): Promise<void> {
  const { app, folder, version, revision, created, url = '' } = source;
  const values = { APP: folder, VERSION: version, REVISION: revision, CREATED: created, SOURCE: url };
  const args = [
    ...['--file', join(root, 'infra/docker/app.Dockerfile'), '--tag', tag],
    ...(app === 'simulators' ? ['--target', 'simulators'] : []),
    ...Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
  ];
  // What a builder adds of itself (provenance) has the time in it; whose build it is, the signature says. Buildx pushes what the
  // engine could not keep: an image for several platforms.
  const many = ['--platform', platforms.join(','), '--provenance=false', '--push'];
  await dockerBuild([...args, ...(platforms.length ? many : []), root], { onLine });
  if (!platforms.length) await docker(['push', '--quiet', tag]);
}

/** What came with the base is judged as such: the examples in its documentation are no hosts of ours. */
async function baseLayers(): Promise<string[]> {
  const inspect = ['image', 'inspect', '--format', '{{json .RootFS.Layers}}', BASE];
  const first = await asked(inspect);
  if (first.code !== 0) await docker(['pull', '--quiet', '--platform', LOOKED_AT, BASE]);
  return JSON.parse(first.code === 0 ? first.out : await docker(inspect)) as string[];
}

async function sign(cosign: Cosign, image: string, sbom: Sbom): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-sbom-'));
  try {
    const file = join(folder, 'sbom.cdx.json');
    await writeFile(file, JSON.stringify(sbom));
    await cosign.sign(image, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is in the work tree's HEAD, for `app`. */
export async function sourceOf(
  root: string,
  app: string,
  folder: string,
  git: (...args: string[]) => Promise<string>,
): Promise<Source> {
  const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const [revision, created] = (await git('log', '-1', '--format=%H %cI')).trim().split(' ');
  return { app, folder, version: manifest.version, revision: revision!, created: created! };
}
