import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArchive, type ImageConfig } from './archive.ts';
import { docker, type DockerOptions } from './docker.client.ts';
import { judgeFile, judgeText, type Found, type Known, type Layer } from './scan-rules.ts';

export type ScanOptions = Known & {
  /** The base image's layers by diff id, as `docker image inspect` has them. Default: none, so all layers are judged as ours. */
  base?: readonly string[];
  /** The apps' variables: the image may set none of them. Default: none. */
  variables?: ReadonlySet<string>;
  /** Keeps what was found in a layer of the base, for the next image that has it too. Default: nothing is kept. */
  seen?: Map<string, Find[]>;
};

/** `where`: the layer, counted from 1, and the path; or `config` for what the image says of itself. */
export type Find = Found & { where: string };
export type Scan = { layers: number; files: number; finds: Find[] };

/**
 * Looks into every layer of an image for env files, secrets, hosts and machine code: also into those whose files a later
 * layer removes. The rules are in scan-rules.ts.
 *
 * @param file what `docker save` or `crane pull` wrote
 * @throws Error when it can't be read
 */
export function scanArchive(file: string, options: ScanOptions = {}): Scan {
  const archive = openArchive(file);
  try {
    const finds = findsInConfig(archive.config, options);
    let files = 0;
    for (const [i, { diffId, files: read }] of archive.layers.entries()) {
      const layer: Layer = options.base?.includes(diffId) ? 'base' : 'own';
      const known = layer === 'base' ? options.seen?.get(diffId) : undefined;
      const found = known ?? [];
      if (!known)
        for (const { path, content } of read()) {
          files++;
          for (const one of judgeFile(path, content.toString('latin1'), layer, options))
            found.push({ ...one, where: `layer ${i + 1}: ${path}` });
        }
      if (layer === 'base') options.seen?.set(diffId, found);
      finds.push(...found);
    }
    return { layers: archive.layers.length, files, finds };
  } finally {
    archive.close();
  }
}

/** `scanArchive` of an image that the engine has, by name or id. */
export async function scanImage(image: string, options: ScanOptions & DockerOptions = {}): Promise<Scan> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-scan-'));
  const file = join(folder, 'image.tar');
  try {
    await docker(['save', '--output', file, image], options);
    return scanArchive(file, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Variables, labels, the commands of the history (where build arguments are seen), start and role. */
export function findsInConfig(image: ImageConfig, options: ScanOptions): Find[] {
  const { Env = [], Labels = {}, Cmd = [], Entrypoint = [] } = image.config;
  const history = (image.history ?? []).map(({ created_by }) => created_by ?? '');
  const text = [...Env, ...Object.values(Labels), ...Cmd, ...Entrypoint, ...history].join('\n');
  const set = Env.map((variable) => variable.split('=')[0]!).filter((name) => options.variables?.has(name));
  return [
    ...judgeText(text, 'own', options).map((found) => ({ ...found, where: 'config' })),
    ...set.map((name) => ({ rule: 'env file' as const, quote: `ENV sets ${name}`, where: 'config' })),
  ];
}
