import { readFile } from 'node:fs/promises';
import { APPS, type AppName } from '../local/apps.ts';
import { repoRoot } from '../stack/paths.ts';
import { run } from '../stack/programs.ts';
import { docker, dockerBuild, type DockerOptions } from './docker.client.ts';

export type ImageName = AppName | 'simulators';
export const IMAGES: readonly ImageName[] = [...APPS, 'simulators'];

/** What every image says of where it comes from. */
export type Origin = {
  revision: string;
  /** RFC 3339. The commit's time: the same commit gives the same image. */
  created: string;
  /** URL of the repository, '' when it is not known. */
  source: string;
  base: string;
};

export type Base = { reference: string; layers: string[]; bytes: number };
export type Built = { name: ImageName; reference: string; seconds: number } & Facts;
export type Facts = {
  id: string;
  /** All layers by diff id, those of the base first. */
  layers: string[];
  ownLayers: number;
  /** What it takes over its base, not compressed. */
  ownBytes: number;
  labels: Record<string, string>;
  /** The variables that the image sets, `NAME=value`. */
  env: string[];
  user: string;
  /** The command of its HEALTHCHECK. */
  healthcheck: string[];
};

export const DEFAULT_BASE = 'node:24-bookworm-slim';
export const folderOf = (name: ImageName) => (name === 'simulators' ? 'infra/simulators' : `apps/${name}`);

/** Arguments of `docker build`, from the root of the repository. */
export function buildArguments(name: ImageName, version: string, origin: Origin, tag: string): string[] {
  const given = {
    APP: folderOf(name),
    BASE: origin.base,
    VERSION: version,
    REVISION: origin.revision,
    CREATED: origin.created,
    SOURCE: origin.source,
  };
  return [
    ...['--file', 'infra/docker/app.Dockerfile', '--tag', tag],
    ...['--target', name === 'simulators' ? 'simulators' : 'app'],
    ...Object.entries(given).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    '.',
  ];
}

/** Of the commit that is checked out; its revision ends in `-dirty` when files differ from it. */
export async function originOf(env: NodeJS.ProcessEnv = process.env): Promise<Origin> {
  const git = async (...args: string[]) => {
    const { code, output } = await run('git', args, { cwd: repoRoot });
    return code === 0 ? output.trim() : '';
  };
  const commit = await git('rev-parse', 'HEAD');
  const dirty = await git('status', '--porcelain', '--untracked-files=no');
  const epoch = Number(env['SOURCE_DATE_EPOCH'] || (await git('log', '-1', '--format=%ct')) || 0);
  return {
    revision: commit ? `${commit}${dirty && '-dirty'}` : 'unknown',
    created: new Date(epoch * 1000).toISOString(),
    source: env['SOURCE_URL'] ?? '',
    base: env['BASE'] || DEFAULT_BASE,
  };
}

/** The image that all others stand on; fetched when the engine has only what it needed to build. */
export async function baseOf(reference: string, options: DockerOptions): Promise<Base> {
  const inspect = () => docker(['image', 'inspect', '--format', '{{json .}}', reference], options);
  const text = await inspect().catch(async () => {
    await docker(['pull', '--quiet', reference], options);
    return inspect();
  });
  const { RootFS, Size } = JSON.parse(text) as Inspected;
  return { reference, layers: RootFS.Layers, bytes: Size };
}

export async function buildImage(
  name: ImageName,
  options: DockerOptions & { origin: Origin; tag: string; extra?: string[]; onLine?: (line: string) => void },
): Promise<number> {
  const manifest = await readFile(`${repoRoot}/${folderOf(name)}/package.json`, 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const began = performance.now();
  const args = buildArguments(name, version, options.origin, options.tag);
  await dockerBuild([...(options.extra ?? []), ...args], options);
  return (performance.now() - began) / 1000;
}

/** @throws Error when it does not stand on `base` */
export async function factsOf(reference: string, base: Base, options: DockerOptions): Promise<Facts> {
  const text = await docker(['image', 'inspect', '--format', '{{json .}}', reference], options);
  const { Id, RootFS, Size, Config } = JSON.parse(text) as Inspected;
  if (base.layers.some((layer, i) => RootFS.Layers[i] !== layer))
    throw new Error(
      `${reference} does not stand on ${base.reference} as the engine has it: docker pull it, and build again`,
    );
  return {
    id: Id,
    layers: RootFS.Layers,
    ownLayers: RootFS.Layers.length - base.layers.length,
    ownBytes: Size - base.bytes,
    labels: Config.Labels ?? {},
    env: Config.Env ?? [],
    user: Config.User,
    healthcheck: Config.Healthcheck?.Test?.slice(1) ?? [],
  };
}

type Inspected = {
  Id: string;
  RootFS: { Layers: string[] };
  Size: number;
  Config: {
    Labels?: Record<string, string>;
    Env?: string[];
    User: string;
    Healthcheck?: { Test?: string[] };
  };
};
