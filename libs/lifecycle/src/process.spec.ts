import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Real processes and real signals: exit codes and the order of leaving can't be seen from inside. */
function start(command: string) {
  const fixture = fileURLToPath(new URL('process.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [fixture, command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, output }));
  const says = async (word: string) => {
    while (!output.includes(word)) await Promise.race([once(child.stdout, 'data'), ended]);
  };
  return { child, ended, says };
}

describe('a process that gets SIGTERM', () => {
  it('is unready first, then closes, and exits 0', async () => {
    const { child, ended, says } = start('serve');
    await says('up');
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(output.trim().split('\n')).toEqual([
      'up',
      'draining, unready',
      'closing, unready',
      'close',
      'closed, unready',
    ]);
    expect(code).toBe(0);
  });

  it('exits at once with 1 on a second signal', async () => {
    const { child, ended, says } = start('slow');
    await says('up');
    child.kill('SIGTERM');
    await says('draining');
    child.kill('SIGINT');
    expect((await ended).code).toBe(1);
  });

  it('exits with 1 at the deadline when something does not close', async () => {
    const { child, ended, says } = start('hang');
    await says('up');
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(output).not.toContain('closed');
    expect(code).toBe(1);
  });
});

describe('runCommand', () => {
  it('exits 2 for an unknown command and lists those that there are', async () => {
    const { code, output } = await start('sevre').ended;
    expect(output).toContain('no command "sevre"');
    expect(output).toContain('leaves in order');
    expect(code).toBe(2);
  });

  it('exits 1 when the command fails, and says why', async () => {
    const { code, output } = await start('fail').ended;
    expect(output).toContain('fixture fail failed: Error: out of paper');
    expect(code).toBe(1);
  });
});
