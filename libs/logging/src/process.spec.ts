import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';

// Real: a process, its pipe, and how it ends.
const fixture = join(import.meta.dirname, 'process.fixture.ts');
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=@cairn/source', fixture, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function run(...args: string[]) {
  const child = start(...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  const lines = stdout.split('\n').filter(Boolean);
  return {
    code,
    stderr,
    stdout,
    parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('lines on standard output', () => {
  it.each(['exit', 'nothing', 'throw', 'plain-throw'])(
    'are all there, in order, after: %s',
    async (end) => {
      const { parsed } = await run(end, '10000');
      const counted = parsed().filter(({ event }) => event === 'counted');
      expect(counted.map(({ n }) => n)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
    },
    30_000,
  );

  it('do not wait for more lines for ever', async () => {
    const child = start('stay', '1');
    const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
    expect(JSON.parse(line)).toMatchObject({ event: 'counted', n: 1 });
    expect(child.exitCode).toBeNull();
  }, 30_000);

  it('are JSON where standard output is no terminal, and colourless lines where pretty is asked for', async () => {
    expect((await run('exit', '1', 'auto')).parsed()).toMatchObject([{ event: 'counted' }]);
    const { stdout } = await run('exit', '1', 'pretty');
    expect(stdout).toMatch(/^\[[\d:.]+\] INFO: counted/m);
  }, 30_000);
});

describe('a process that crashes', () => {
  it('says so in one line with the whole error, and exits with 1', async () => {
    const { code, stderr, parsed } = await run('throw');
    expect(parsed()).toMatchObject([
      {
        severity: 'fatal',
        event: 'uncaught_exception',
        err: {
          type: 'Error',
          message: 'boom',
          code: 'E_BOOM',
          stack: expect.stringContaining('process.fixture.ts'),
          cause: { type: 'TypeError', message: 'deep' },
        },
      },
    ]);
    expect([code, stderr]).toEqual([1, '']);
  }, 30_000);

  it.each([
    ['reject', 'unhandled_rejection', { type: 'Error', message: 'nobody waits' }],
    ['throw-text', 'uncaught_exception', { type: 'string', message: 'just text' }],
  ])(
    'whatever the cause: %s',
    async (end, event, err) => {
      const { code, parsed } = await run(end);
      expect(parsed()).toMatchObject([{ severity: 'fatal', event, err }]);
      expect(code).toBe(1);
    },
    30_000,
  );

  it('leaves a stack trace on standard error without it', async () => {
    const { code, stderr, parsed } = await run('plain-throw');
    expect([code, parsed()]).toEqual([1, []]);
    expect(stderr).toContain('Error: boom');
  }, 30_000);
});
