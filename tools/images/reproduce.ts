import { step } from '../stack/progress.ts';
import type { Report } from '../stack/types.ts';
import { buildImage, factsOf, type Base, type Built, type Origin } from './build.ts';
import { docker, type DockerOptions } from './docker.client.ts';
import { openArchive, type ImageArchive } from './archive.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHOWN = 5;

/** Builds an image once more without any cache; gives what is not the same, layer by layer, and in which files. */
export async function differences(
  one: Built,
  base: Base,
  options: DockerOptions & { origin: Origin; report: Report },
): Promise<string[]> {
  const tag = `cairn-images-again:${process.pid}`;
  try {
    await step(options.report, one.name, 'docker build --no-cache', () =>
      buildImage(one.name, { ...options, tag, extra: ['--no-cache'] }),
    );
    const again = await factsOf(tag, base, options);
    const differing = one.layers.flatMap((layer, i) => (layer === again.layers[i] ? [] : [i]));
    if (!differing.length) return [];
    const [before, after] = [
      await filesOf(one.id, differing, options),
      await filesOf(tag, differing, options),
    ];
    return differing.map((i) => {
      const files = differingFiles(before.get(i)!, after.get(i)!);
      const what = files.length
        ? `${files.length} files differ: ${files.slice(0, SHOWN).join(', ')}`
        : 'times or modes differ';
      return `${one.name}: layer ${i + 1} is not the same when it is built again: ${what}`;
    });
  } finally {
    await docker(['image', 'rm', '--force', tag]);
  }
}

function differingFiles(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}

async function filesOf(image: string, layers: readonly number[], options: DockerOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-again-'));
  let archive: ImageArchive | undefined;
  try {
    await docker(['save', '--output', join(folder, 'image.tar'), image], options);
    archive = openArchive(join(folder, 'image.tar'));
    const files = (i: number) =>
      new Map(
        [...archive!.layers[i]!.files()].map(({ path, content }) => [path, content.toString('latin1')]),
      );
    return new Map(layers.map((i) => [i, files(i)]));
  } finally {
    archive?.close();
    await rm(folder, { recursive: true, force: true });
  }
}
