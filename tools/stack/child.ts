import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guard } from './guard.ts';
import { endGroup } from './processes.ts';
import { StackError } from './types.ts';

export type ChildOptions = {
  name: string;
  command: string;
  args: string[];
  /** Everything that the child writes goes here; the file is begun anew. */
  log: string;
  guard: Guard;
  /** Calls the start off: the child is stopped and the promise rejects. */
  signal?: AbortSignal;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Asked every 25 ms until it answers true. Without it the child counts as ready at once. */
  ready?: () => Promise<boolean>;
  /** Default: 30_000. */
  readyTimeoutMs?: number;
  /** Default: SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** From the signal to SIGKILL. Default: 8_000. */
  stopGraceMs?: number;
};

export type Child = {
  name: string;
  pid: number;
  log: string;
  /** Says how it ended: "exit code 1" or "signal SIGKILL". Never rejects. */
  exited: Promise<string>;
  stop(): Promise<void>;
};

/** Starts a process in its own group, under the guard, and waits until it is ready. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = launch(options);
  const ended = child.exited.then((how) => `ended with ${how}`);
  const failed = await Promise.race([untilReady(options, ended), ended]);
  if (failed === undefined) return child;
  await child.stop();
  throw new StackError(
    `${options.name} ${failed}. The last lines of ${options.log}:\n${lastLines(options.log)}`,
  );
}

function launch(options: ChildOptions): Child {
  const { name, log, guard, stopSignal = 'SIGTERM', stopGraceMs = 8000 } = options;
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, 'w');
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    uid: options.uid,
    gid: options.gid,
    detached: true, // its own group: Ctrl-C reaches us alone, and we stop things in order
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const pid = child.pid;
  if (pid === undefined) return { name, pid: 0, log, exited, stop: async () => undefined };
  guard.adopt(pid, { name, signal: stopSignal });
  const stop = async () => {
    await endGroup(pid, stopSignal, stopGraceMs);
    guard.release(pid);
  };
  return { name, pid, log, exited, stop };
}

/** Answers undefined when ready, else what went wrong. */
async function untilReady(options: ChildOptions, ended: Promise<string>): Promise<string | undefined> {
  const { ready, readyTimeoutMs = 30_000 } = options;
  let over = false;
  void ended.then(() => (over = true));
  const end = Date.now() + readyTimeoutMs;
  while (ready !== undefined && !(await ready())) {
    if (over) return ended;
    if (options.signal?.aborted) return 'was called off';
    if (Date.now() > end) return `was not ready within ${readyTimeoutMs / 1000} s`;
    await delay(25);
  }
  return undefined;
}

export function lastLines(file: string, count = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '(no log)';
  }
}
