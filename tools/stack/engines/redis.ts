import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { startChild } from '../child.ts';
import type { NativeEngine, Work } from '../engine.ts';
import { cacheDir, dataDir, logFile } from '../paths.ts';
import { redisReady } from '../probes.ts';
import { findProgram, runOrFail } from '../programs.ts';
import { step } from '../progress.ts';

const canInstall = () => process.getuid?.() === 0 && findProgram('apt-get') !== undefined;

const policy = '/usr/sbin/policy-rc.d';

/** Debian starts a service as it is installed, on the default port, for good. 101 from this file says: do not. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  if (existsSync(policy)) return work();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(policy, { force: true });
  }
}

async function aptInstall(work: Work): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const log = `${cacheDir}/redis-apt.log`;
  const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const install = () => runOrFail('apt-get', ['install', ...options, 'redis-server'], { ...work, env, log });
  await withoutServices(() =>
    install().catch(async () => {
      await runOrFail('apt-get', ['update'], { ...work, env, log }); // fresh images come without package lists
      await install();
    }),
  );
}

export const redis: NativeEngine = {
  name: 'redis',
  ports: ['redis'],
  missing() {
    const server = { program: 'redis-server', why: 'Redis', apt: 'redis-server', brew: 'redis' };
    return findProgram('redis-server') || canInstall() ? [] : [server];
  },
  async install(work) {
    if (findProgram('redis-server')) return;
    const message = 'installing redis-server by apt-get (its own service stays off)';
    await step(work.report, 'redis', message, () => aptInstall(work));
  },
  async version() {
    const output = await runOrFail(findProgram('redis-server') ?? 'redis-server', ['--version']);
    return /v=(\S+)/.exec(output)?.[1] ?? 'unknown';
  },
  async start({ stack, ports, guard, signal }) {
    const data = dataDir(stack, 'redis');
    mkdirSync(data, { recursive: true });
    const network = ['--port', String(ports.redis), '--bind', '127.0.0.1'];
    // Drafts are all it holds, an hour each: a snapshot when it stops and every 5 minutes is plenty, no log of writes.
    // Full means an error, not a draft that silently vanishes.
    const storage = ['--dir', data, '--save', '300 1', '--appendonly', 'no'];
    const memory = ['--maxmemory', '64mb', '--maxmemory-policy', 'noeviction'];
    return startChild({
      name: 'redis',
      command: findProgram('redis-server') ?? 'redis-server',
      args: [...network, ...storage, ...memory],
      log: logFile(stack, 'redis'),
      guard,
      signal,
      ready: () => redisReady(ports.redis),
    });
  },
};
