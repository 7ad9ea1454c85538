import { setTimeout as delay } from 'node:timers/promises';
import { asked, docker, type DockerOptions } from './docker.client.ts';
import type { Seen } from './verdict.ts';

/** Marks our containers with the process that they belong to, so that none is left behind. */
const LABEL = 'cairn.images';
const HEALTHY_WITHIN_MS = 180_000;
const POLL_MS = 200;

/** An image to be run as it is run everywhere: read-only, without capabilities, and on the machine's own network. */
export type Subject = { image: string; args: string[]; env: Record<string, string>; healthcheck: string[] };

const CONFINED = [
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...['--memory', '256m', '--network', 'host'],
];
const variables = (env: Record<string, string>) =>
  Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);

/** Starts it, waits until it is healthy, looks at it from inside, ends it by SIGTERM, and removes it. */
export async function look(
  { image, args, env, healthcheck }: Subject,
  options: DockerOptions,
): Promise<Seen> {
  const label = ['--label', `${LABEL}=${process.pid}`];
  const id = await docker(
    ['run', '--detach', ...label, ...CONFINED, ...variables(env), image, ...args],
    options,
  );
  try {
    const healthyAfterS = await untilHealthy(id, options);
    const inside = async (...command: string[]) => asked(['exec', id, ...command], options);
    // Port 1: nobody listens there.
    const moved = Object.keys(env).filter((name) => name.endsWith('_PORT'));
    const elsewhere = variables(Object.fromEntries(moved.map((name) => [name, '1'])));
    return {
      log: await lastLog(id, options),
      ...(healthyAfterS !== undefined && { healthyAfterS }),
      status: (await inside('cat', '/proc/1/status')).out,
      command: (await inside('cat', '/proc/1/cmdline')).out.replaceAll('\0', ' '),
      writing: await inside('touch', '/app/written'),
      writable: await writableFiles(image, options),
      elsewhere: (await asked(['exec', ...elsewhere, id, ...healthcheck], options)).code,
      exit: await terminate(id, options),
    };
  } finally {
    await docker(['rm', '--force', '--volumes', id]);
  }
}

/** Runs a one-off command in the image to its end, confined in the same way. */
export function runOnce(image: string, args: string[], env: Record<string, string>, options: DockerOptions) {
  const label = ['--label', `${LABEL}=${process.pid}`];
  return asked(['run', '--rm', ...label, ...CONFINED, ...variables(env), image, ...args], options);
}

/** Removes the containers of this process, and those of an earlier one that was killed. */
export async function removeContainers(): Promise<void> {
  const listed = await docker([
    'ps',
    '--all',
    '--filter',
    `label=${LABEL}`,
    '--format',
    `{{.ID}} {{.Label "${LABEL}"}}`,
  ]);
  const ours = listed.split('\n').flatMap((line) => {
    const [id, pid] = line.split(' ');
    return id && (Number(pid) === process.pid || !isAlive(Number(pid))) ? [id] : [];
  });
  if (ours.length) await docker(['rm', '--force', '--volumes', ...ours]);
}

async function untilHealthy(id: string, options: DockerOptions): Promise<number | undefined> {
  const began = performance.now();
  while (performance.now() - began < HEALTHY_WITHIN_MS) {
    const state = await docker(
      ['inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', id],
      options,
    );
    if (state.endsWith(' healthy')) return (performance.now() - began) / 1000;
    if (!state.startsWith('running')) return undefined;
    await delay(POLL_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
  return undefined;
}

async function writableFiles(image: string, options: DockerOptions): Promise<string[]> {
  const find = ['--entrypoint', 'find', image, '/app', '/compiled', '-writable', '!', '-type', 'l'];
  const { out } = await asked(['run', '--rm', '--network', 'none', ...find], options);
  return out.split('\n').filter(Boolean).slice(0, 3);
}

/** The time is the engine's: from the signal to the end of the process, without that of the commands. */
async function terminate(id: string, options: DockerOptions): Promise<Seen['exit']> {
  const at = Date.now();
  await asked(['kill', '--signal', 'TERM', id], options);
  const code = Number(await docker(['wait', id], options));
  const finished = await docker(['inspect', '--format', '{{.State.FinishedAt}}', id], options);
  return { code, seconds: (Date.parse(finished) - at) / 1000 };
}

async function lastLog(id: string, options: DockerOptions): Promise<string> {
  const { out, err } = await asked(['logs', '--tail', '8', id], options);
  const probes = await asked(
    ['inspect', '--format', '{{range .State.Health.Log}}{{.Output}}{{end}}', id],
    options,
  );
  return `${out}${err}${probes.out}`.trim();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
