import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUGS } from './bugs.ts';

// The real services, relay and delivery; engines, network and gateway are in memory, time is virtual.
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const flags = [
  '--disable-warning=ExperimentalWarning',
  '--conditions=@cairn/source',
  'e2e/simulation/main.ts',
];

const run = (...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [...flags, ...args], { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

describe('the simulation', () => {
  it('violates nothing in any seed, repeats a seed exactly, and catches every planted bug', async () => {
    const { code, stdout, stderr } = await run('--seeds', '40');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/✓ 40 seeds in .* 0 with violations/);
    expect(stdout).toContain('✓ 40 seeds a second time: the same traces');
    const bugs = Object.keys(BUGS).length;
    expect(stdout).toContain(`✓ ${bugs} of ${bugs} planted bugs caught within 200 seeds`);
    expect(code).toBe(0);
  }, 300_000);

  it('shows one seed with its trace, fails for a bug in it, and names what it does not know', async () => {
    const [one, bug, unknown] = await Promise.all([
      run('--seed', '1'),
      run('--seed', '1', '--bug', 'expire-any-state'),
      run('--bug', 'nothing'),
    ]);
    expect([one.code, bug.code, unknown.code]).toEqual([0, 1, 2]);
    expect(one.stdout).toContain('✓ nothing is violated');
    expect(bug.stdout).toContain('was paid and expired');
    expect(unknown.stderr).toContain('no bug "nothing". There are: no-inbox');
  }, 120_000);
});
