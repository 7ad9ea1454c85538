import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Control } from './check.ts';
import { runOrFail } from './programs/run.ts';

/** Copies the files of the repository (those that git knows or would take) into `place`, which is empty. */
export async function copyFiles(root: string, place: string): Promise<void> {
  // Tools that look for the top of a repository find this one, and not the one around it.
  mkdirSync(join(place, '.git'), { recursive: true });
  const list = await runOrFail('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of new Set(list.split('\0'))) {
    // Listed and not there: deleted, and not committed yet.
    if (file && existsSync(join(root, file)))
      cpSync(join(root, file), join(place, file), { recursive: true });
  }
}

/**
 * Breaks one file of the copy.
 * @returns what puts it right again
 * @throws Error when the change changes nothing
 */
export function breakFile(copy: string, { does, file, change }: Control): () => void {
  const path = join(copy, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const broken = change(text ?? '');
  if (broken === (text ?? ''))
    throw new Error(`"${does}" changes nothing in ${file}: adapt the control to it`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, broken);
  return () => (text === undefined ? rmSync(path) : writeFileSync(path, text));
}
