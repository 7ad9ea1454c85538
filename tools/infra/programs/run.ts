import { spawn } from 'node:child_process';
import { createGuard } from '../../stack/guard.ts';
import { signalGroup } from '../../stack/processes.ts';

export type Result = { code: number; stdout: string; stderr: string };
export type Options = {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** What the program reads. Default: nothing. */
  input?: string;
  /** Called for every piece of what it writes to stderr, while it runs. */
  onStderr?: (text: string) => void;
};

// Whatever way this process ends, what it started ends as well.
const guard = createGuard();
const running = new Set<number>();

/**
 * Runs a program to its end and keeps apart what it answers and what it says about it.
 * @throws Error when it can't be started
 */
export function run(command: string, args: string[], options: Options = {}): Promise<Result> {
  const { cwd, env, input, onStderr } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, detached: true });
    const { pid } = child;
    if (pid !== undefined) {
      guard.adopt(pid, { name: command });
      running.add(pid);
    }
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => stdout.push(data));
    child.stderr.on('data', (data: Buffer) => {
      stderr.push(data);
      onStderr?.(data.toString());
    });
    // A program that ends before it has read all closes its end; its exit code tells why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    child.once('error', (error) => reject(new Error(`${command} can't be started: ${error.message}`)));
    child.once('close', (code) => {
      if (pid !== undefined) {
        guard.release(pid);
        running.delete(pid);
      }
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}

/** Kills what runs, at once: the guard does so only when this process is gone. */
export function endRunning(): void {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
}

/**
 * `run`, of a program that has to succeed.
 * @throws Error with the command and its last lines
 */
export async function runOrFail(command: string, args: string[], options: Options = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code === 0) return stdout;
  const lines = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`\`${[command, ...args].join(' ')}\` failed (exit code ${code}):\n${lines}`);
}
