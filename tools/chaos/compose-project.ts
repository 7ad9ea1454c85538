import { join } from 'node:path';
import { FIXED_PORTS, requireFreePorts } from '../local/apps.ts';
import { composeIn } from '../stack/compose.ts';
import { repoRoot } from '../stack/paths.ts';
import { runOrFail } from '../stack/programs.ts';
import { printer, step } from '../stack/progress.ts';
import { StackError, type Report } from '../stack/types.ts';

export type ProjectOptions = {
  /** Name of the project: what runs under another one is not touched. */
  name: string;
  /** Laid over docker-compose.yml, relative to the repository. Default: nothing. */
  over?: string[];
  /** Services and options of `docker compose up`. */
  up: string[];
};

export type Project = {
  report: Report;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** `docker compose …` of the project; answers what it printed. */
  compose: (...args: string[]) => Promise<string>;
  docker: (...args: string[]) => Promise<string>;
};

/**
 * Builds and starts a project of docker-compose.yml for as long as `work` runs, and removes it with its volumes afterwards, also
 * after Ctrl-C, and before when an earlier run could not.
 *
 * @throws StackError when no engine answers or a port is taken
 */
export async function onCompose<T>(
  { name, over = [], up }: ProjectOptions,
  work: (project: Project) => Promise<T>,
): Promise<T> {
  const answer = await composeIn().answer(['postgres', 'redis', 'kafka', 's3', 'smtp']);
  if (!answer.usable) throw new StackError(`This needs a Docker engine: ${answer.reason}.`);
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => leaving.abort(new StackError(`ended by ${signal}`)));
  process.on('disconnect', () => leaving.abort(new StackError('ended by the end of npm')));
  const report = printer();
  const { signal } = leaving;
  const files = ['docker-compose.yml', ...over].flatMap((file) => ['--file', join(repoRoot, file)]);
  const prefix = ['compose', '--project-directory', repoRoot, '--project-name', name, ...files];
  const docker = (...args: string[]) => runOrFail('docker', args, { signal });
  const compose = (...args: string[]) => docker(...prefix, ...args);
  // Without the signal: this has to come to its end after Ctrl-C as well.
  const down = () => runOrFail('docker', [...prefix, 'down', '--volumes', '--timeout', '10']);
  await down();
  await requireFreePorts(FIXED_PORTS);
  try {
    // Whoever plays several times on end has built already.
    if (!process.env['CHAOS_IS_BUILT'])
      await step(report, 'build', 'docker compose build', () => compose('build'));
    await step(report, 'up', `docker compose up --wait ${up.join(' ')}`, () =>
      compose('up', '--detach', '--wait', ...up),
    );
    return await work({ report, signal, compose, docker });
  } finally {
    await step(report, 'down', 'docker compose down --volumes', down);
  }
}
