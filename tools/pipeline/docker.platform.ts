import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { answers, appEnvironment, WITH_DATABASE, type AppName, type AppPorts } from '../local/apps.ts';
import { fetchToken } from '../local/token.ts';
import { asked, docker } from '../images/docker.client.ts';
import { freePorts } from '../stack/ports.ts';
import type { Crane } from './crane.client.ts';
import { short, type Platform } from './promote.ts';
import { smoke } from './smoke.ts';

export type Stage = {
  environment: string;
  app: AppName;
  /** Of the pipeline: `127.0.0.1:5000/cairn/orders`. */
  repository: string;
  /** The environment's own: `127.0.0.1:5000/cairn-staging/orders`. */
  own: string;
  crane: Crane;
  engines: Record<string, string>;
  ports: AppPorts;
  /** Takes the files with the variables. */
  folder: string;
  signal: AbortSignal;
};

/** As an orchestrator runs it: infra/compose and infra/kubernetes. */
const RESTRICTED = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--memory=256m'];
const READY_MS = 90_000;
const label = 'cairn.pipeline';

/**
 * An environment on the engine of this machine: one container by digest, out of the environment's registry, with a database and a
 * user of its own. The next release starts beside the one that runs and takes over when it is ready, as a rolling update does.
 */
export class DockerPlatform implements Platform {
  readonly #stage: Stage;
  #running: { id: string; url: string } | undefined;
  #password = randomBytes(12).toString('hex');
  /** What the last smoke test saw. */
  seen = '';

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** The user and the database, which are the platform's to give. */
  async prepare(): Promise<void> {
    const { environment, app, engines } = this.#stage;
    if (!WITH_DATABASE.includes(app)) return;
    const client = new pg.Client({ connectionString: engines['POSTGRES_URL']! });
    await client.connect();
    try {
      await client.query(`CREATE ROLE ${environment} LOGIN PASSWORD '${this.#password}'`);
      await client.query(`CREATE DATABASE ${environment}_${app} OWNER ${environment}`);
    } finally {
      await client.end();
    }
  }

  async take(digest: string): Promise<void> {
    const { crane, repository, own } = this.#stage;
    await crane.copy(`${repository}@${digest}`, `${own}:${digest.slice('sha256:'.length)}`);
    await docker(['pull', '--quiet', `${own}@${digest}`]);
  }

  async migrate(digest: string): Promise<void> {
    await docker(['run', '--rm', ...this.#options({}), `${this.#stage.own}@${digest}`, 'migrate']);
  }

  async deploy(digest: string): Promise<void> {
    const { app, own, signal } = this.#stage;
    const [port, management] = await freePorts(2, Object.values(this.#stage.ports));
    const options = this.#options({ PORT: String(port), METRICS_PORT: String(management) });
    const role = app === 'worker' || app === 'scheduler' ? 'consume' : 'serve';
    const id = await docker(['run', '--detach', ...options, `${own}@${digest}`, role]);
    try {
      await ready(id, `http://127.0.0.1:${management}/health/ready`, signal);
    } catch (error) {
      await docker(['rm', '--force', id]);
      throw error;
    }
    const before = this.#running;
    this.#running = { id, url: `http://127.0.0.1:${port}` };
    if (before) await stop(before.id);
  }

  async smoke(): Promise<void> {
    const { app, ports } = this.#stage;
    const token = await fetchToken('smoke', 600, `http://127.0.0.1:${ports.issuer}`);
    this.seen = await smoke({ app, url: this.#running?.url, token });
  }

  /** The digest of the container that runs, as the engine has it. */
  async running(): Promise<string> {
    if (!this.#running) return 'nothing';
    const image = await docker([
      'inspect',
      '--format',
      '{{.Config.Image}} {{.State.Status}}',
      this.#running.id,
    ]);
    const [, digest = '', state = ''] = /@(sha256:\w+) (\w+)$/.exec(image) ?? [];
    return state === 'running' ? short(digest) : `${short(digest)}, ${state}`;
  }

  async stop(): Promise<void> {
    if (this.#running) await stop(this.#running.id);
    this.#running = undefined;
  }

  /** The environment's variables (factor 3): all that tells staging from production. */
  #options(more: Record<string, string>): string[] {
    const { environment, app, engines, ports } = this.#stage;
    const url = new URL(engines['POSTGRES_URL']!);
    Object.assign(url, {
      username: environment,
      password: this.#password,
      pathname: `/${environment}_${app}`,
    });
    const redis = new URL(engines['REDIS_URL']!);
    redis.pathname = environment === 'production' ? '/1' : '/2';
    const env = {
      ...appEnvironment(engines, ports),
      // The S3 server of the stack knows one key only, which both of them refuse.
      DEPLOYMENT_ENVIRONMENT: app === 'worker' ? 'test' : environment,
      GATEWAY_API_KEY: `${environment}-${this.#password}`,
      REDIS_URL: redis.toString(),
      ...(WITH_DATABASE.includes(app) && { DATABASE_URL: url.toString() }),
      ...more,
    };
    // In a file: a command that fails is shown, and so would be the passwords in it.
    const file = join(this.#stage.folder, `${environment}.env`);
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(file, lines.join(''), { mode: 0o600 });
    return ['--network=host', `--label=${label}`, ...RESTRICTED, '--env-file', file];
  }
}

async function ready(id: string, url: string, signal: AbortSignal): Promise<void> {
  const until = performance.now() + READY_MS;
  while (performance.now() < until) {
    signal.throwIfAborted();
    if (await answers(url)) return;
    const state = await docker(['inspect', '--format', '{{.State.Status}}', id]);
    if (state !== 'running') break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { out, err } = await asked(['logs', '--tail', '15', id]);
  throw new Error(`it did not become ready:\n${out}${err}`);
}

async function stop(id: string): Promise<void> {
  await docker(['stop', '--time', '35', id]);
  await docker(['rm', id]);
}

/** Removes what an earlier dry run left, or this one. */
export async function removeContainers(): Promise<void> {
  const ids = (await docker(['ps', '--all', '--quiet', '--filter', `label=${label}`]))
    .split('\n')
    .filter(Boolean);
  if (ids.length) await docker(['rm', '--force', ...ids]);
}

/** Removes the names of images that were made by way of `host`: the registry is gone with the dry run. */
export async function removeImages(host: string): Promise<void> {
  const format = '{{.Repository}} {{.Tag}} {{.Digest}}';
  const lines = (await docker(['images', '--digests', '--format', format])).split('\n');
  const names = lines
    .map((line) => line.split(' '))
    .filter(([repository = '']) => repository.startsWith(`${host}/`))
    .flatMap(([repository, tag, digest]) =>
      tag === '<none>' ? [`${repository}@${digest}`] : [`${repository}:${tag}`, `${repository}@${digest}`],
    );
  for (const name of new Set(names)) await asked(['rmi', name]);
}
