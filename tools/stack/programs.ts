import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { lastLines } from './child.ts';
import type { Guard } from './guard.ts';
import { signalGroup } from './processes.ts';
import { StackError } from './types.ts';

/** Where `name` is on the PATH. */
export function findProgram(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  // Debian keeps servers in sbin, which is not on everybody's PATH.
  for (const folder of [...path.split(delimiter), '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin']) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

export type RunOptions = {
  /** Takes what the program writes; without it, `output` does. */
  log?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  timeoutMs?: number;
  guard?: Guard;
  signal?: AbortSignal;
};
export type RunResult = { code: number; output: string };

/** Runs a program to its end. A program that cannot be started answers code -1 and says why. */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const { log, timeoutMs, guard, signal, ...rest } = options;
  if (signal?.aborted) return Promise.resolve({ code: -1, output: 'called off' });
  if (log !== undefined) mkdirSync(dirname(log), { recursive: true });
  const file = log === undefined ? ('pipe' as const) : openSync(log, 'w');
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...rest, detached: true, stdio: ['ignore', file, file] });
    const { pid } = child;
    if (typeof file === 'number') closeSync(file);
    if (pid === undefined)
      return void child.once('error', (error) => resolve({ code: -1, output: error.message }));
    guard?.adopt(pid, { name: command });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => chunks.push(data));
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => signalGroup(pid, 'SIGKILL'), timeoutMs);
    const callOff = () => signalGroup(pid, 'SIGTERM');
    signal?.addEventListener('abort', callOff);
    child.once('close', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', callOff);
      guard?.release(pid);
      resolve({ code: code ?? -1, output: Buffer.concat(chunks).toString() });
    });
  });
}

/** `run`, failing with the command and its last lines. */
export async function runOrFail(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await run(command, args, options);
  if (code === 0) return output;
  if (options.signal?.aborted) throw new StackError('The start was called off.');
  const lines =
    options.log === undefined || output !== ''
      ? output.trimEnd().split('\n').slice(-15).join('\n')
      : lastLines(options.log);
  throw new StackError(`\`${[command, ...args].join(' ')}\` failed (exit code ${code}):\n${lines}`);
}
