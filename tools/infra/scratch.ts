import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stackDir } from '../stack/paths.ts';
import { startOf } from '../stack/processes.ts';
import { endRunning } from './programs/run.ts';

const home = stackDir('verify');
const folders = new Set<string>();

/**
 * An empty folder for what a check leaves behind, in `.stack/verify/<pid>`. It goes with this process, whatever ends it; after
 * SIGKILL the next run sweeps it away.
 */
export function scratch(name: string): string {
  const own = join(home, String(process.pid));
  if (!folders.has(own)) sweep();
  const folder = join(removedAtExit(own), name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

let sockets: string | undefined;

/** One for Unix sockets, whose paths must not be longer than 107 bytes (unix(7)): outside of the repository. */
export function socketScratch(): string {
  return (sockets ??= removedAtExit(mkdtempSync(join(tmpdir(), 'cairn-verify-'))));
}

function removedAtExit(folder: string): string {
  if (!folders.size) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => process.exit(128 + constants.signals[signal]));
    // What had started this process was killed: nobody waits for the result any more.
    process.once('disconnect', () => process.exit(1));
    process.once('exit', () => {
      endRunning(); // they would go on writing
      for (const one of folders)
        rmSync(one, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    });
  }
  folders.add(folder);
  return folder;
}

function sweep(): void {
  mkdirSync(home, { recursive: true });
  const left = readdirSync(home).filter((name) => startOf(Number(name)) === undefined);
  for (const name of left) rmSync(join(home, name), { recursive: true, force: true });
}
