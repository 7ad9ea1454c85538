import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandOf } from './processes.ts';

export type PortName = 'postgres' | 'redis' | 'kafka' | 's3' | 'smtp' | 'mailWeb';
export type Ports = Record<PortName, number>;

export const fixedPorts: Ports = {
  postgres: 15432,
  redis: 16379,
  kafka: 19092,
  s3: 19000,
  smtp: 11025,
  mailWeb: 11080,
};

/** Answers the port when it could be bound on 127.0.0.1, else undefined. 0 asks for any. */
function bind(port: number): Promise<{ port: number; close: () => Promise<void> } | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const close = () => new Promise<void>((closed) => server.close(() => closed()));
      resolve({ port: typeof address === 'object' && address ? address.port : port, close });
    });
  });
}

/**
 * Free ports, all different, that nobody gets until `release()`. Linux gives a listener on any port one of some 7,000: of 40
 * that are opened between the choice of 13 ports and their use, one takes one of those in every twentieth case.
 */
export async function holdPorts(count: number): Promise<{ ports: number[]; release: () => Promise<void> }> {
  const held = await Promise.all(Array.from({ length: count }, () => bind(0)));
  return {
    ports: held.map((one) => one?.port ?? 0),
    release: async () => void (await Promise.all(held.map((one) => one?.close()))),
  };
}

/** Free ports, all different; none of `except`, which are meant for somebody who does not listen yet. */
export async function freePorts(count: number, except: number[] = []): Promise<number[]> {
  const { ports, release } = await holdPorts(count + except.length);
  await release();
  return ports.filter((port) => !except.includes(port)).slice(0, count);
}

export async function isFree(port: number): Promise<boolean> {
  const held = await bind(port);
  await held?.close();
  return held !== undefined;
}

/** The inode of the socket that listens on `port`, from /proc/net/tcp or tcp6. */
export function listeningInode(table: string, port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const listens = fields[3] === '0A';
    if (listens && fields[1]?.endsWith(`:${hex}`)) return fields[9];
  }
  return undefined;
}

/** `lsof -Fp` prints one `p<pid>` per process. */
export const lsofPid = (output: string) => Number(/^p(\d+)$/m.exec(output)?.[1]) || undefined;

export function portOwner(port: number): { pid: number; command: string } | undefined {
  const pid = process.platform === 'linux' ? ownerFromProc(port) : ownerFromLsof(port);
  return pid === undefined ? undefined : { pid, command: commandOf(pid).replace(/\s+/g, ' ').slice(0, 120) };
}

function ownerFromLsof(port: number): number | undefined {
  try {
    return lsofPid(
      execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp'], { encoding: 'utf8' }),
    );
  } catch {
    return undefined; // lsof fails when it finds nothing
  }
}

function ownerFromProc(port: number): number | undefined {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFileSync(path, 'utf8'));
  const inode = tables.map((table) => listeningInode(table, port)).find((found) => found !== undefined);
  if (inode === undefined) return undefined;
  const holds = (pid: string) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some(
        (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`,
      );
    } catch {
      return false; // another user's process, or one that just ended
    }
  };
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holds(name));
  return pid === undefined ? undefined : Number(pid);
}

export function takenMessage(port: number, name: string, variable: string, owner = portOwner(port)): string {
  const who = owner
    ? `pid ${owner.pid} (${owner.command})`
    : `another user's process (see: sudo ss -ltnp 'sport = :${port}')`;
  const stop = owner ? `Stop it (kill ${owner.pid})` : 'Stop it';
  return `Port ${port}, for ${name}, is taken by ${who}. ${stop}, or set ${variable} to the URL of a server to use instead.`;
}
