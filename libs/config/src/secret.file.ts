import { readFileSync, statSync } from 'node:fs';

const LARGEST_FILE = 2 ** 20;

/** A device or a pipe would be read for ever. */
export function readRegularFile(path: string): string {
  const stat = statSync(path);
  if (!stat.isFile()) throw Object.assign(new Error('no regular file'), { code: 'EISDIR' });
  if (stat.size > LARGEST_FILE) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
}
