import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../stack/paths.ts';
import type { Say } from '../check.ts';

/** Ten characters that change with what is pinned. */
export const pinOf = (...texts: string[]) =>
  createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 10);

const making = new Map<string, Promise<string>>();

/**
 * A file or folder of the cache, made once. Two checks that want it at a time wait for the same one, and one that was begun
 * and not ended is never taken for a whole one.
 * @param name holds the pin, so that another version is another entry
 * @param make writes to the path that it is given
 * @returns where it is
 */
export function cached(name: string, make: (draft: string) => Promise<void>): Promise<string> {
  const place = join(cacheDir, name);
  const known = making.get(place);
  if (known) return known;
  const made = existsSync(place) ? Promise.resolve(place) : moveIn(place, make);
  making.set(place, made);
  return made;
}

async function moveIn(place: string, make: (draft: string) => Promise<void>): Promise<string> {
  const draft = `${place}.${process.pid}`;
  mkdirSync(cacheDir, { recursive: true });
  try {
    await make(draft);
    renameSync(draft, place);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return place;
}

const REPEAT_MS = 5000;

/** Says that something lasts: when it begins, every 5 s, and how long it took. `detail` may say how far it is. */
export async function told<T>(
  progress: Say,
  what: string,
  work: () => Promise<T>,
  detail: () => string = () => '',
): Promise<T> {
  const began = performance.now();
  const seconds = () => `${Math.round((performance.now() - began) / 1000)} s`;
  progress(what);
  const timer = setInterval(
    () => progress(`${what} (${[seconds(), detail()].filter(Boolean).join(', ')})`),
    REPEAT_MS,
  );
  try {
    const result = await work();
    progress(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
