import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type ProcessId = { pid: number; start: string };
type Row = { pid: number; parent: number; privateBytes: number; sharedBytes: number };

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the process ended between listing and reading
  }
};

const ps = (...args: string[]): string => {
  try {
    return execFileSync('ps', args, { encoding: 'utf8' });
  } catch {
    return '';
  }
};

/** The fields of /proc/<pid>/stat after the command, whose name may hold spaces and brackets. */
const statFields = (stat: string) => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

/** What tells a process from a later one with the same pid; undefined when it does not run (or is a zombie). */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux')
    return ps('-o', 'lstart=', '-p', String(pid)).replace(/\s/g, '') || undefined;
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = statFields(stat);
  return fields[0] === 'Z' ? undefined : fields[19];
}

export const isSame = (id: ProcessId) => startOf(id.pid) === id.start;

export function commandOf(pid: number): string {
  if (process.platform !== 'linux') return ps('-o', 'command=', '-p', String(pid)).trim();
  return (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

/** Signals a process group; false when there is none. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** True while the group has a member that runs: zombies, which wait for their parent, do not count. */
function groupRuns(pid: number): boolean {
  if (!signalGroup(pid, 0)) return false;
  if (process.platform !== 'linux') return true;
  return pids().some((member) => {
    const fields = statFields(read(`/proc/${member}/stat`) ?? '');
    return fields[2] === String(pid) && fields[0] !== 'Z';
  });
}

/** Signals the group, waits for its end, and kills it after `graceMs`. */
export async function endGroup(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  signalGroup(pid, signal);
  const end = Date.now() + graceMs;
  while (groupRuns(pid) && Date.now() < end) await delay(25);
  if (!groupRuns(pid)) return;
  signalGroup(pid, 'SIGKILL');
  const last = Date.now() + 2000;
  while (groupRuns(pid) && Date.now() < last) await delay(25);
}

const pids = () => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

/** Reads one /proc/<pid>/status. */
export function parseStatus(status: string): Row {
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    pid: field('Pid'),
    parent: field('PPid'),
    privateBytes: (field('RssAnon') + field('RssFile')) * 1024,
    sharedBytes: field('RssShmem') * 1024,
  };
}

/** Reads `ps -axo pid=,ppid=,rss=` (macOS has no split of shared memory). */
export function parsePs(text: string): Row[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, rss = 0]) => ({ pid, parent, privateBytes: rss * 1024, sharedBytes: 0 }));
}

/** A process and all that it has started, itself first. */
export function descendants(rows: Row[], root: number): number[] {
  const members = new Set([root]);
  for (let grew = true; grew;) {
    grew = false;
    for (const row of rows) {
      if (members.has(row.parent) && !members.has(row.pid)) grew = Boolean(members.add(row.pid));
    }
  }
  return [...members];
}

/**
 * RSS of a process and all its descendants. A shared segment (PostgreSQL's buffers) is mapped by every one of them
 * and counts once, not once per backend.
 */
export function treeRss(rows: Row[], root: number): number {
  const members = new Set(descendants(rows, root));
  const tree = rows.filter((row) => members.has(row.pid));
  const shared = Math.max(0, ...tree.map((row) => row.sharedBytes));
  return tree.reduce((sum, row) => sum + row.privateBytes, shared);
}

export function processRows(): Row[] {
  if (process.platform !== 'linux') return parsePs(ps('-axo', 'pid=,ppid=,rss='));
  return pids().flatMap((pid) => {
    const status = read(`/proc/${pid}/status`);
    return status === undefined ? [] : [parseStatus(status)];
  });
}
