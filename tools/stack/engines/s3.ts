import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { NativeEngine, Work } from '../engine.ts';
import { cacheDir, dataDir, engineFile, logFile } from '../paths.ts';
import { httpOk } from '../probes.ts';
import { findProgram, runOrFail } from '../programs.ts';
import { step } from '../progress.ts';

/** `github.com/versity/versitygw/cmd/versitygw@v1.8.0` */
const pinned = () => readFileSync(engineFile('s3', 'module.txt'), 'utf8').trim();
const version = () => pinned().split('@v')[1] ?? 'unknown';
const binary = () => join(cacheDir, `versitygw-${version()}`);

export const s3Access = { region: 'us-east-1', accessKeyId: 'cairn', secretAccessKey: 'cairn-secret' };

/** How far the compiler is: `-v` prints a line for every package. */
function built(log: string): string {
  try {
    const packages = readFileSync(log, 'utf8')
      .split('\n')
      .filter((one) => one && !one.startsWith('go:'));
    return `(${packages.length} packages)`;
  } catch {
    return '';
  }
}

async function build(work: Work): Promise<void> {
  const draft = `${binary()}.${process.pid}`;
  // GOGC: the compiler collects less often and is a quarter faster, for some memory. -s -w: no debug tables, 24 MB less.
  const env = { ...process.env, GOBIN: draft, GOGC: '400', GOFLAGS: '' };
  const log = `${binary()}.log`;
  await runOrFail('go', ['install', '-v', '-trimpath', '-ldflags=-s -w', pinned()], {
    ...work,
    env,
    cwd: cacheDir,
    log,
  });
  renameSync(join(draft, 'versitygw'), binary());
  rmSync(draft, { recursive: true });
}

export const s3: NativeEngine = {
  name: 's3',
  ports: ['s3'],
  missing() {
    const go = { program: 'go', why: 'the S3 server', apt: 'golang-go', brew: 'go' };
    return existsSync(binary()) || findProgram('go') ? [] : [go];
  },
  async install(work) {
    if (existsSync(binary())) return;
    mkdirSync(cacheDir, { recursive: true });
    const message = `building versitygw ${version()} by Go (once, 2 to 4 minutes)`;
    await step(
      work.report,
      's3',
      message,
      () => build(work),
      () => built(`${binary()}.log`),
    );
  },
  version: async () => `versitygw ${version()}`,
  async start({ stack, ports, guard, signal }) {
    const objects = join(dataDir(stack, 's3'), 'objects');
    // Metadata beside the objects, not in extended attributes, which not every file system has.
    const metadata = join(dataDir(stack, 's3'), 'metadata');
    for (const folder of [objects, metadata]) mkdirSync(folder, { recursive: true });
    const server = [
      '--port',
      `127.0.0.1:${ports.s3}`,
      '--region',
      s3Access.region,
      '--health',
      '/health',
      '--quiet',
    ];
    return startChild({
      name: 's3',
      command: binary(),
      args: [...server, 'posix', '--sidecar', metadata, objects],
      // Not by flags: those can be read by everyone in `ps`.
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: s3Access.accessKeyId,
        ROOT_SECRET_KEY: s3Access.secretAccessKey,
      },
      log: logFile(stack, 's3'),
      guard,
      signal,
      ready: () => httpOk(`http://127.0.0.1:${ports.s3}/health`),
    });
  },
};
