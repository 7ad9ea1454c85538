import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeAnswer } from './decide.ts';
import type { Work } from './engine.ts';
import { repoRoot } from './paths.ts';
import { step } from './progress.ts';
import { findProgram, run, runOrFail } from './programs.ts';
import type { EngineName } from './types.ts';

const services: Record<EngineName, string> = {
  postgres: 'postgres',
  redis: 'redis',
  kafka: 'kafka',
  s3: 's3',
  smtp: 'mail',
};

export type ComposeRun = { stop(): Promise<void> };

const lines = (text: string) =>
  text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean);

/** The engines' services in the docker-compose.yml of `folder`. */
export function composeIn(folder: string = repoRoot, env: NodeJS.ProcessEnv = process.env) {
  const docker = (args: string[], timeoutMs?: number) => run('docker', args, { env, timeoutMs });
  const compose = (...args: string[]) => ['compose', '--project-directory', folder, ...args];

  /** Whether compose could bring up these engines here. Each question is cheap, and its "no" is a sentence. */
  async function answer(engines: EngineName[]): Promise<ComposeAnswer> {
    const no = (reason: string): ComposeAnswer => ({ usable: false, reason });
    if (!existsSync(join(folder, 'docker-compose.yml'))) return no('there is no docker-compose.yml');
    if (!findProgram('docker', env['PATH'])) return no('Docker is not installed');
    const engine = await docker(['info', '--format', '{{.ServerVersion}}'], 3000);
    if (engine.code !== 0) return no('no Docker engine answers within 3 s');
    const version = await docker(['compose', 'version', '--short'], 3000);
    if (version.code !== 0) return no('Docker has no Compose v2');
    const known = await docker(compose('config', '--services'), 10_000);
    if (known.code !== 0) return no(`docker-compose.yml is refused: ${known.output.trim()}`);
    const missing = engines
      .map((name) => services[name])
      .filter((name) => !lines(known.output).includes(name));
    if (missing.length > 0) return no(`docker-compose.yml lacks ${missing.join(', ')}`);
    return {
      usable: true,
      reason: `Docker ${engine.output.trim()} and Compose ${version.output.trim()} answer`,
    };
  }

  /** Starts the services; `stop` stops those that did not run before. A failed start leaves none behind. */
  async function up(engines: EngineName[], work: Work, log: string): Promise<ComposeRun> {
    const wanted = engines.map((name) => services[name]);
    const before = await docker(compose('ps', '--services', '--status', 'running'));
    const ours = wanted.filter((name) => !lines(before.output).includes(name));
    const stop = async () => {
      if (ours.length > 0) await docker(compose('stop', '--timeout', '10', ...ours));
    };
    const start = () => runOrFail('docker', compose('up', '-d', '--wait', ...wanted), { ...work, env, log });
    try {
      await step(work.report, 'compose', `docker compose up --wait ${wanted.join(' ')}`, start);
    } catch (error) {
      await stop();
      throw error;
    }
    return { stop };
  }

  async function imageOf(engine: EngineName): Promise<string> {
    const { output } = await docker(compose('ps', '--format', '{{.Image}}', services[engine]));
    return lines(output)[0] ?? 'image unknown';
  }

  return { answer, up, imageOf };
}
