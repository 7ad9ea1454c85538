import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastLines, startChild } from './child.ts';
import { createGuard, type Guard } from './guard.ts';
import { choosePorts } from './native.ts';
import { fixedPorts, freePorts, holdPorts, isFree, portOwner } from './ports.ts';
import { startOf } from './processes.ts';

const folder = mkdtempSync(join(tmpdir(), 'child-'));
let guard: Guard;

beforeAll(() => {
  guard = createGuard();
});
afterAll(() => {
  guard.close();
  rmSync(folder, { recursive: true, force: true });
});

const shell = (name: string, script: string) => ({
  name,
  command: 'sh',
  args: ['-c', script],
  log: join(folder, `${name}.log`),
  guard,
});

describe('a child', () => {
  it('that ends before it is ready shows the last lines of its log', async () => {
    const start = startChild({ ...shell('broken', 'echo no disk; exit 3'), ready: async () => false });
    await expect(start).rejects.toThrow(
      /broken ended with exit code 3\. The last lines of .*broken\.log:\nno disk/,
    );
  });

  it('that never gets ready is stopped', async () => {
    const start = startChild({
      ...shell('slow', 'echo $$; exec sleep 60'),
      ready: async () => false,
      readyTimeoutMs: 300,
    });
    const error: Error = await start.then(
      () => new Error('it started'),
      (reason: Error) => reason,
    );
    expect(error.message).toContain('slow was not ready within 0.3 s');
    expect(startOf(Number(error.message.trim().split('\n').at(-1)))).toBeUndefined();
  });

  it('whose program does not exist says so', async () => {
    const start = startChild({
      ...shell('absent', ''),
      command: '/no/such/program',
      ready: async () => false,
    });
    await expect(start).rejects.toThrow(/absent ended with .*ENOENT/);
  });

  it('that ignores SIGTERM is killed after the grace', async () => {
    const script = "trap '' TERM; echo up; while :; do sleep 1; done";
    const stubborn = shell('stubborn', script);
    // Only once the trap is set does it ignore anything.
    const ready = async () => lastLines(stubborn.log) === 'up';
    const child = await startChild({ ...stubborn, ready, stopGraceMs: 200 });
    await child.stop();
    expect(await child.exited).toBe('signal SIGKILL');
  });
});

describe('ports', () => {
  it('that are free are all different', async () => {
    expect(new Set(await freePorts(20)).size).toBe(20);
  });

  it('that are meant for somebody else are left out', async () => {
    const meant = await freePorts(300);
    const others = await freePorts(300, meant);
    expect(others).toHaveLength(300);
    expect(others.filter((port) => meant.includes(port))).toEqual([]);
  });

  it('that are held are nobody else’s until they are released', async () => {
    const { ports, release } = await holdPorts(2);
    expect(await Promise.all(ports.map(isFree))).toEqual([false, false]);
    await release();
    expect(await Promise.all(ports.map(isFree))).toEqual([true, true]);
  });

  it('that are taken are named with their owner before anything starts', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    expect(await isFree(port)).toBe(false);
    expect(portOwner(port)?.pid).toBe(process.pid);
    const was = fixedPorts.redis;
    fixedPorts.redis = port;
    try {
      await expect(choosePorts('fixed', ['redis'])).rejects.toThrow(
        new RegExp(`Port ${port}, for redis, is taken by pid ${process.pid} \\(.*set REDIS_URL`),
      );
    } finally {
      fixedPorts.redis = was;
      await new Promise((closed) => server.close(closed));
    }
  });
});
