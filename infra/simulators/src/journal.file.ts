import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { entrySchema } from './gateway.ts';
import type { Entry, Journal } from './gateway.ts';

export type FileJournal = Journal & {
  past: Entry[];
  /** Bytes of a torn last line that were cut off when the file was opened. */
  tornBytes: number;
  close(): void;
};

/**
 * Opens an append-only journal, one JSON entry a line; without a path it forgets everything. An entry counts once its newline is there: the caller of a torn
 * one never had an answer, so cutting it off loses nothing that was promised.
 *
 * @throws {Error} naming the line when any other line is damaged: silently skipping money is not an option
 */
export function openJournal(path: string | undefined): FileJournal {
  if (path === undefined) return { past: [], tornBytes: 0, append: () => {}, close: () => {} };
  mkdirSync(dirname(path), { recursive: true });
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const whole = bytes.lastIndexOf('\n') + 1;
  const past = bytes.subarray(0, whole).toString().split('\n').slice(0, -1).map(readLine(path));
  if (whole < bytes.length) truncateSync(path, whole);
  const file = openSync(path, 'a', 0o600);
  let size = whole;
  return {
    past,
    tornBytes: bytes.length - whole,
    // Synchronous on purpose: entries stay in the order in which they were decided, and one costs about 10 µs.
    append(entry) {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      try {
        if (writeSync(file, line) < line.length)
          throw new Error(`${path} took only a part of an entry: disk full?`);
      } catch (error) {
        // Else the next entry would be glued to the half that was written.
        ftruncateSync(file, size);
        throw error;
      }
      size += line.length;
    },
    close() {
      fsyncSync(file);
      closeSync(file);
    },
  };
}

function readLine(path: string) {
  return (line: string, index: number): Entry => {
    try {
      return entrySchema.parse(JSON.parse(line));
    } catch (cause) {
      throw new Error(`${path} is damaged at line ${index + 1}`, { cause });
    }
  };
}
