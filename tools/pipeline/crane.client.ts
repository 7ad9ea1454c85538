import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArchive } from '../images/archive.ts';
import { run, runOrFail } from '../infra/programs/run.ts';
import { entryOf, nextTag, standing, type Entry } from './ledger.ts';
import type { Ledger } from './promote.ts';

/** A registry's client. Loopback registries are asked by plain HTTP, all others by HTTPS with Docker's logins. */
export class Crane {
  readonly #crane: string;

  /** `crane` is the path of the program. */
  constructor(crane: string) {
    this.#crane = crane;
  }

  /** The digest of `name:tag`; undefined when there is none. */
  async digest(reference: string): Promise<string | undefined> {
    const { code, stdout, stderr } = await run(this.#crane, ['digest', reference]);
    if (code === 0) return stdout.trim();
    if (/MANIFEST_UNKNOWN|NAME_UNKNOWN|404 Not Found/.test(stderr)) return undefined;
    throw new Error(`${reference} can't be read: ${stderr.trim()}`);
  }

  async tags(repository: string): Promise<string[]> {
    const { code, stdout, stderr } = await run(this.#crane, ['ls', repository]);
    if (code === 0) return stdout.split('\n').filter(Boolean);
    if (/NAME_UNKNOWN|404 Not Found/.test(stderr)) return [];
    throw new Error(`the tags of ${repository} can't be read: ${stderr.trim()}`);
  }

  /** Gives an image of the registry another name there. */
  tag(reference: string, tag: string): Promise<unknown> {
    return runOrFail(this.#crane, ['tag', reference, tag]);
  }

  /** Into another repository or registry; the digest stays. */
  copy(from: string, to: string): Promise<unknown> {
    return runOrFail(this.#crane, ['copy', from, to]);
  }

  /** Calls `look` with the image as `docker save` would write it. `platform` chooses one of several: `linux/amd64`. */
  async pulled<T>(reference: string, platform: string, look: (file: string) => T): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'cairn-pull-'));
    try {
      const file = join(folder, 'image.tar');
      await runOrFail(this.#crane, ['pull', '--platform', platform, reference, file]);
      return look(file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** The text of a file of an image; what a later layer writes counts. @throws Error when no layer has it */
export function textIn(archive: string, path: string): string {
  const { layers, close } = openArchive(archive);
  try {
    for (const { files } of layers.toReversed())
      for (const file of files()) if (file.path === path) return file.content.toString();
  } finally {
    close();
  }
  throw new Error(`the image has no /${path}`);
}

/** The ledger of an app, as tags of its repository (see ledger.ts). */
export function ledgerIn(crane: Crane, repository: string): Ledger {
  const entries = async (): Promise<Entry[]> => {
    const tags = (await crane.tags(repository)).filter((tag) => entryOf(tag, ''));
    return Promise.all(tags.map(async (tag) => entryOf(tag, (await crane.digest(`${repository}:${tag}`))!)!));
  };
  return {
    standing: async (environment) => standing(await entries(), environment),
    add: async (environment, kind, digest) => {
      await crane.tag(`${repository}@${digest}`, nextTag(await entries(), environment, kind));
    },
  };
}
