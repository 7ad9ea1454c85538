import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endGroup, isSame, startOf, type ProcessId } from './processes.ts';

export type Adopted = ProcessId & { name: string; signal: NodeJS.Signals };

export type Guard = {
  /** The pid must lead its own process group (`spawn` with `detached: true`). */
  adopt(pid: number, options?: { name?: string; signal?: NodeJS.Signals }): void;
  /** Forgets a process that ended. */
  release(pid: number): void;
  /** Ends the guard itself; what is still adopted is no longer watched over. */
  close(): void;
  readonly pid: number | undefined;
};

const script = fileURLToPath(new URL('guard.sh', import.meta.url));

/** With a `ledger`, what is adopted is also written to that file, for `endStale` after a `kill -9` of everything. */
export function createGuard(options: { ledger?: string } = {}): Guard {
  const adopted = new Map<number, Adopted>();
  let shell: ChildProcess | undefined;
  let closed = false;

  const tell = (line: string) => shell?.stdin?.write(`${line}\n`);
  const add = (one: Adopted) => tell(`add ${one.pid} ${one.start} ${one.signal.replace('SIG', '')}`);
  const record = () => {
    if (options.ledger === undefined) return;
    mkdirSync(dirname(options.ledger), { recursive: true });
    writeFileSync(options.ledger, JSON.stringify([...adopted.values()], null, 2));
  };
  const hire = () => {
    shell = spawn('/bin/sh', [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    shell.stdin?.on('error', () => undefined); // it was killed; its exit event hires another
    shell.once('exit', () => !closed && hire());
    shell.unref();
    (shell.stdin as Socket).unref();
    for (const one of adopted.values()) add(one);
  };

  hire();
  return {
    adopt(pid, { name = String(pid), signal = 'SIGTERM' } = {}) {
      const start = startOf(pid);
      if (start === undefined) return; // already gone
      const one = { pid, start, name, signal };
      adopted.set(pid, one);
      add(one);
      record();
    },
    release(pid) {
      if (!adopted.delete(pid)) return;
      tell(`del ${pid}`);
      record();
    },
    close() {
      closed = true;
      for (const pid of adopted.keys()) tell(`del ${pid}`);
      shell?.stdin?.end();
    },
    get pid() {
      return shell?.pid;
    },
  };
}

export function readLedger(ledger: string): Adopted[] {
  try {
    return JSON.parse(readFileSync(ledger, 'utf8')) as Adopted[];
  } catch {
    return []; // none, or cut off by a crash: the guard has dealt with what it held
  }
}

/** Ends processes that an earlier run left; answers their names. A pid that now belongs to another is let be. */
export async function endStale(ledger: string): Promise<string[]> {
  const left = readLedger(ledger).filter(isSame);
  await Promise.all(left.map((one) => endGroup(one.pid, one.signal, 5000)));
  rmSync(ledger, { force: true });
  return left.map((one) => `${one.name} (pid ${one.pid})`);
}
