import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const running = new Set<ChildProcess>();
afterEach(() => running.forEach((child) => child.kill('SIGKILL')));

/** Real processes and real signals: exit codes and the order of leaving can't be seen from inside. */
function start(...args: string[]) {
  const fixture = fileURLToPath(new URL('process.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number, output };
  });
  const says = async (word: string) => {
    while (!output.includes(word)) await Promise.race([once(child.stdout, 'data'), ended]);
  };
  return { child, ended, says };
}

describe('a process that gets SIGTERM', () => {
  it('is unready first, then closes, and exits 0', async () => {
    const { child, ended, says } = start('serve');
    await says('(started)');
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(output.trim().split('\n')).toEqual([
      '(listening)',
      '(connected)',
      '(started)',
      '(draining) unready',
      '(closing) unready',
      '(closed) unready',
      'disconnected',
      '(disconnected) unready',
      '(stopped) unready',
    ]);
    expect(code).toBe(0);
  });

  it('exits at once with 1 on a second signal', async () => {
    const { child, ended, says } = start('slow');
    await says('(started)');
    child.kill('SIGTERM');
    await says('(draining)');
    child.kill('SIGINT');
    expect((await ended).code).toBe(1);
  });

  it('exits with 1 at the deadline, and says what does not close', async () => {
    const { child, ended, says } = start('hang');
    await says('(started)');
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(output).not.toContain('(closed)');
    expect(output).toContain('(deadline) unready close,postgres');
    expect(code).toBe(1);
  });

  it.each(['late', 'stuck'])('exits 0 at once while it waits for a database that is %s', async (command) => {
    const { child, ended, says } = start(command);
    await says(command === 'late' ? 'waits for postgres' : '(listening)');
    const at = performance.now();
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(performance.now() - at).toBeLessThan(5000);
    expect(output).not.toContain('(draining)');
    expect(code).toBe(0);
  });
});

describe('a process whose port is taken', () => {
  it('exits 1 and names the port, without a stack', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, output } = await start('serve', String(port)).ended;
    other.close();
    expect(output).toContain(
      `fixture serve failed: can't listen: 127.0.0.1:${port} is taken by another process\n`,
    );
    expect(output).not.toMatch(/^ +at /m);
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

  it('exits with the number that the command resolves with', async () => {
    expect(await start('some').ended).toMatchObject({ code: 3 });
  });

  it('exits 1 when the command fails, and says why', async () => {
    const { code, output } = await start('fail').ended;
    expect(output).toContain('fixture fail failed: Error: out of paper');
    expect(code).toBe(1);
  });
});
