import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type DockerOptions = {
  /** Ends the command. Default: never. */
  signal?: AbortSignal;
};
export type Answer = { code: number; out: string; err: string };

const MAX_OUTPUT = 64 * 2 ** 20;
/** Engines before 23 use BuildKit when they are told to. */
const ENV = { ...process.env, DOCKER_BUILDKIT: '1' };

/**
 * Runs a command of Docker's to its end.
 *
 * @returns what it printed
 * @throws Error with the command and the end of what it said
 */
export async function docker(args: string[], options: DockerOptions = {}): Promise<string> {
  const { code, out, err } = await asked(args, options);
  if (code === 0) return out.trim();
  throw new Error(`docker ${args.join(' ')} failed (exit code ${code}):\n${lastLines(err || out)}`);
}

/** As `docker`, for a command whose exit code is an answer. */
export function asked(args: string[], { signal }: DockerOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'docker',
      args,
      { env: ENV, maxBuffer: MAX_OUTPUT, ...(signal && { signal }) },
      (error, out, err) => {
        const code = error ? error.code : 0;
        if (typeof code === 'number') resolve({ code, out, err });
        else reject(signal?.aborted ? (signal.reason as Error) : missing(error as NodeJS.ErrnoException));
      },
    );
    child.stdin?.end();
  });
}

/** `docker build` of a text, with nothing to copy. By stdin, buildx would leave the text in the temporary folder. */
export async function buildText(tag: string, dockerfile: string, options: DockerOptions = {}): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'cairn-build-'));
  try {
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    await docker(['build', '--quiet', '--tag', tag, context], options);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** `docker build`, which tells each of its lines while it runs. */
export function dockerBuild(
  args: string[],
  { signal, onLine = () => {} }: DockerOptions & { onLine?: (line: string) => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['build', '--progress=plain', ...args], {
      env: ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal && { signal }),
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => {
        said = `${said}${data.toString()}`.slice(-20_000);
        data.toString().split('\n').filter(Boolean).forEach(onLine);
      });
    child.once('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : missing(error)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new Error(`docker build ${args.join(' ')} failed (exit code ${code}):\n${lastLines(said)}`));
    });
  });
}

/** @throws Error that says what is missing, when no engine answers */
export async function requireEngine(): Promise<string> {
  const { code, out, err } = await asked(['info', '--format', '{{.ServerVersion}}']);
  if (code === 0) return out.trim();
  throw new Error(
    `No Docker engine answers. Start one, or name it by DOCKER_HOST. It said: ${lastLines(err, 1)}`,
  );
}

function missing(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return error;
  return new Error('Docker is missing: install it (Debian: apt-get install docker.io) and start its engine.');
}

const lastLines = (text: string, count = 15) => text.trimEnd().split('\n').slice(-count).join('\n');
