import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGuard, endStale, readLedger } from './guard.ts';
import { endGroup, isSame, startOf, type ProcessId } from './processes.ts';
import { eventually } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'guard-'));
const started: number[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((pid) => endGroup(pid, 'SIGKILL', 1000)));
});

/** A process in its own group, with a child of its own; it ignores SIGTERM when `stubborn`. */
function spawnGroup(stubborn = false): ProcessId {
  const child = spawn('sh', ['-c', `${stubborn ? "trap '' TERM;" : ''} sleep 60 & sleep 60; wait`], {
    detached: true,
    stdio: 'ignore',
  });
  const pid = child.pid ?? 0;
  started.push(pid);
  return { pid, start: startOf(pid) ?? '' };
}

/** A holder that starts a group, adopts it (or not), and prints its pid. */
async function holder(adopts: boolean): Promise<{ parent: ChildProcess; group: ProcessId }> {
  const file = join(folder, 'holder.ts');
  const module = new URL('guard.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { spawn } from 'node:child_process';
     import { createGuard } from '${module}';
     const guard = createGuard();
     const child = spawn('sh', ['-c', 'sleep 60 & sleep 60; wait'], { detached: true, stdio: 'ignore' });
     if (${adopts}) guard.adopt(child.pid);
     console.log(child.pid);
     setInterval(() => undefined, 1000);`,
  );
  const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(createInterface(parent.stdout as NodeJS.ReadableStream), 'line')) as [string];
  const pid = Number(text);
  started.push(pid);
  return { parent, group: { pid, start: startOf(pid) ?? '' } };
}

async function killParent(parent: ChildProcess): Promise<void> {
  parent.kill('SIGKILL');
  await once(parent, 'exit');
}

describe('a guard', () => {
  it('ends what it adopted when its parent is killed with -9', async () => {
    const { parent, group } = await holder(true);
    expect(isSame(group)).toBe(true);
    await killParent(parent);
    await eventually(() => !isSame(group));
  });

  it('is what ends it: without adoption the process outlives its parent', async () => {
    const watched = await holder(true);
    const control = await holder(false);
    await Promise.all([killParent(control.parent), killParent(watched.parent)]);
    await eventually(() => !isSame(watched.group)); // by now a guard would have ended the other one too
    expect(isSame(control.group)).toBe(true);
  });

  it('leaves alone what was released, and what it held when it was closed', async () => {
    const guard = createGuard();
    const [released, held] = [spawnGroup(), spawnGroup()];
    guard.adopt(released.pid);
    guard.adopt(held.pid);
    guard.release(released.pid);
    const { pid = 0 } = guard;
    const shell = { pid, start: startOf(pid) ?? '' };
    guard.close();
    await eventually(() => !isSame(shell));
    expect([isSame(released), isSame(held)]).toEqual([true, true]);
  });

  it('is replaced when somebody kills it, and the new one knows what to watch', async () => {
    const ledger = join(folder, 'ledger.json');
    const guard = createGuard({ ledger });
    const group = spawnGroup();
    guard.adopt(group.pid, { name: 'engine' });
    const first = guard.pid ?? 0;
    process.kill(first, 'SIGKILL');
    await eventually(() => guard.pid !== first);
    expect(readLedger(ledger)).toEqual([{ ...group, name: 'engine', signal: 'SIGTERM' }]);
    guard.close();
  });
});

describe('a ledger', () => {
  it('ends what an earlier run left, by SIGKILL where SIGTERM is ignored', async () => {
    const ledger = join(folder, 'stale.json');
    const [plain, stubborn] = [spawnGroup(), spawnGroup(true)];
    const rows = [plain, stubborn].map((one, index) => ({ ...one, name: `p${index}`, signal: 'SIGTERM' }));
    writeFileSync(ledger, JSON.stringify(rows));
    expect(await endStale(ledger)).toEqual([`p0 (pid ${plain.pid})`, `p1 (pid ${stubborn.pid})`]);
    expect([isSame(plain), isSame(stubborn)]).toEqual([false, false]);
  }, 20_000);

  it('never ends a stranger that was given the same pid', async () => {
    const ledger = join(folder, 'reused.json');
    const group = spawnGroup();
    writeFileSync(ledger, JSON.stringify([{ ...group, start: '1', name: 'kafka', signal: 'SIGTERM' }]));
    expect(await endStale(ledger)).toEqual([]);
    expect(isSame(group)).toBe(true);
    rmSync(folder, { recursive: true, force: true });
  });
});
