import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeAnswer } from './decide.ts';
import { repoRoot } from './paths.ts';
import { findProgram, run, runOrFail } from './programs.ts';
import { step } from './progress.ts';
import type { EngineName, Report } from './types.ts';

export const services: Record<EngineName, string> = {
  postgres: 'postgres',
  redis: 'redis',
  kafka: 'kafka',
  s3: 's3',
  smtp: 'mail',
};

const lines = (text: string) =>
  text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean);
const compose = (...args: string[]) => ['compose', '--project-directory', repoRoot, ...args];

/** Whether compose could bring up these engines here. Each question is cheap, and its "no" is a sentence. */
export async function composeAnswer(engines: EngineName[]): Promise<ComposeAnswer> {
  const no = (reason: string): ComposeAnswer => ({ usable: false, reason });
  if (!existsSync(join(repoRoot, 'docker-compose.yml'))) return no('there is no docker-compose.yml');
  if (!findProgram('docker')) return no('Docker is not installed');
  const engine = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 3000 });
  if (engine.code !== 0) return no('no Docker engine answers within 3 s');
  const version = await run('docker', ['compose', 'version', '--short'], { timeoutMs: 3000 });
  if (version.code !== 0) return no('Docker has no Compose v2');
  const known = await run('docker', compose('config', '--services'), { timeoutMs: 10_000 });
  const missing = engines.map((name) => services[name]).filter((name) => !lines(known.output).includes(name));
  if (known.code !== 0 || missing.length > 0) return no(`docker-compose.yml lacks ${missing.join(', ')}`);
  return {
    usable: true,
    reason: `Docker ${engine.output.trim()} and Compose ${version.output.trim()} answer`,
  };
}

export type ComposeRun = { stop(): Promise<void> };

/** Starts the services; `stop` stops those that did not run before. A failed start leaves none behind. */
export async function composeUp(engines: EngineName[], report: Report, log: string): Promise<ComposeRun> {
  const wanted = engines.map((name) => services[name]);
  const before = await run('docker', compose('ps', '--services', '--status', 'running'));
  const ours = wanted.filter((name) => !lines(before.output).includes(name));
  const stop = async () => {
    if (ours.length > 0) await run('docker', compose('stop', '--timeout', '10', ...ours));
  };
  try {
    const up = () => runOrFail('docker', compose('up', '-d', '--wait', ...wanted), { log });
    await step(report, 'compose', `docker compose up --wait ${wanted.join(' ')}`, up);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

export async function imageOf(engine: EngineName): Promise<string> {
  const { output } = await run('docker', compose('ps', '--format', '{{.Image}}', services[engine]));
  return lines(output)[0] ?? 'image unknown';
}
