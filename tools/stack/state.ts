import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { endStale, readLedger } from './guard.ts';
import { ledgerFile, stateFile } from './paths.ts';
import { isSame, startOf, type ProcessId } from './processes.ts';
import { StackError, type Engine } from './types.ts';

/** What `.stack/<name>/state.json` holds while a stack runs; the processes are in the guard's ledger beside it. */
export type State = { name: string; holder: ProcessId; engines: Engine[]; env: Record<string, string> };

export function readState(name: string): State | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(name), 'utf8')) as State;
  } catch {
    return undefined;
  }
}

export const isHeld = (state: State | undefined): state is State =>
  state !== undefined && isSame(state.holder);

/** Writes the whole file at once: a reader never sees a half. With `link` it fails when the file exists. */
function publish(state: State, exclusive: boolean): void {
  const file = stateFile(state.name);
  const draft = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(draft, JSON.stringify(state, null, 2), { mode: 0o600 });
  try {
    if (!exclusive) rmSync(file, { force: true });
    linkSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Makes this process the holder of the stack's name. Ends what a dead holder left and answers its names; throws
 * when the holder lives.
 */
export async function claim(name: string): Promise<string[]> {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name) || name === 'cache') {
    throw new RangeError(
      `A stack's name is small letters, digits and hyphens, and not "cache", got "${name}"`,
    );
  }
  const mine: State = {
    name,
    holder: { pid: process.pid, start: startOf(process.pid) ?? '' },
    engines: [],
    env: {},
  };
  const refuse = (holder: ProcessId) =>
    new StackError(
      `The stack "${name}" is already run by pid ${holder.pid}. Stop that one first (kill ${holder.pid}).`,
    );
  const found = readState(name);
  if (isHeld(found)) throw refuse(found.holder);
  rmSync(stateFile(name), { force: true });
  try {
    publish(mine, true);
  } catch {
    const winner = readState(name); // another process claimed it at the same moment
    throw winner ? refuse(winner.holder) : new StackError(`Cannot write ${stateFile(name)}.`);
  }
  return endStale(ledgerFile(name));
}

export function update(name: string, engines: Engine[], env: Record<string, string>): void {
  const state = readState(name);
  if (state) publish({ ...state, engines, env }, false);
}

export function release(name: string): void {
  rmSync(stateFile(name), { force: true });
  if (readLedger(ledgerFile(name)).length === 0) rmSync(ledgerFile(name), { force: true });
}
