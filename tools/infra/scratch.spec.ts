import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { dirname } from 'node:path';
import { startOf } from '../stack/processes.ts';
import { eventually } from '../stack/testing.ts';

type Run = { child: ChildProcess; folders: string[]; sleeper: number };

/** A run that has a folder of each kind, and a program that writes to one of them for as long as it lives. */
const SCRIPT = `
  const { scratch, socketScratch } = await import('${new URL('scratch.ts', import.meta.url).href}');
  const { run } = await import('${new URL('programs/run.ts', import.meta.url).href}');
  const folders = [scratch('spec'), socketScratch()];
  const loop = 'echo $$ >&2; while :; do mkdir -p more; touch more/$(date +%N); done';
  const onStderr = (text) => console.log(JSON.stringify({ folders, sleeper: Number(text) }));
  await run('sh', ['-c', loop], { cwd: folders[0], onStderr });`;

const runs: Run[] = [];

afterEach(() => {
  for (const { child, folders } of runs.splice(0)) {
    child.kill('SIGKILL');
    for (const folder of [dirname(folders[0]!), folders[1]!])
      rmSync(folder, { recursive: true, force: true });
  }
});

async function start(): Promise<Run> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', SCRIPT], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  const run = { child, ...(JSON.parse(line) as Omit<Run, 'child'>) };
  runs.push(run);
  return run;
}

describe('what a check leaves behind', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('is gone with its process after %s', async (signal) => {
    const { child, folders, sleeper } = await start();
    expect(folders.map((folder) => existsSync(folder))).toEqual([true, true]);
    child.kill(signal);
    await once(child, 'exit');
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
    await eventually(() => startOf(sleeper) === undefined);
    // What it ran was killed first: nothing was written after the folder was removed.
    expect(existsSync(folders[0]!)).toBe(false);
  });

  it('is gone when whoever had started the process is', async () => {
    const { child, folders } = await start();
    child.disconnect();
    await once(child, 'exit');
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  });

  it('is swept away by the next run after SIGKILL, and that of a run that lives is not', async () => {
    const [killed, alive] = [await start(), await start()];
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    await eventually(() => startOf(killed.sleeper) === undefined);
    const own = (run: Run) => dirname(run.folders[0]!);
    expect(existsSync(own(killed))).toBe(true);
    await start();
    expect([killed, alive].map((run) => existsSync(own(run)))).toEqual([false, true]);
  });
});
