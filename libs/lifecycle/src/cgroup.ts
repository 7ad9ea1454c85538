/** The text of a file, or undefined when there is none that can be read. */
export type Read = (path: string) => string | undefined;

/** Limits of a control group; undefined where it has none. */
export type CgroupLimits = { memoryBytes?: number; cpus?: number; version?: 1 | 2 };

/**
 * The limits that a process stands under, from `/proc/self/cgroup` and the files below `root`. Each ancestor's limit holds as
 * well, so the least of all levels counts. In a container the group's own path is often not visible, and its files lie at
 * the root of the mount: levels that are not there are passed over.
 *
 * Source: cgroups(7); Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.
 */
export function cgroupLimits(read: Read, root: string, proc: string): CgroupLimits {
  const groups = groupsOf(read(`${proc}/cgroup`) ?? '');
  const memory = limitOf(
    'memory',
    groups,
    root,
    (dir) => memoryV1(read, dir),
    (dir) => memoryV2(read, dir),
  );
  const cpu = limitOf(
    'cpu',
    groups,
    root,
    (dir) => cpusV1(read, dir),
    (dir) => cpusV2(read, dir),
  );
  const version = memory.version === 2 || cpu.version === 2 ? 2 : (memory.version ?? cpu.version);
  return { memoryBytes: memory.limit, cpus: cpu.limit, version };
}

/** `hierarchy:controllers:path`, one a line; v2 is hierarchy 0 without controllers. */
type Group = { controllers: string[]; path: string };

function groupsOf(text: string): Group[] {
  return text.split('\n').flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line.trim()) ?? [];
    return names === undefined || path === undefined
      ? []
      : [{ controllers: names.split(',').filter(Boolean), path }];
  });
}

type Limit = { limit?: number; version?: 1 | 2 };

/** A controller is in one hierarchy only: where v1 has it, v2 (hybrid) has not. */
function limitOf(
  controller: string,
  groups: Group[],
  root: string,
  v1: (dir: string) => number | undefined,
  v2: (dir: string) => number | undefined,
): Limit {
  const old = groups.find(({ controllers }) => controllers.includes(controller));
  if (old) {
    // Mounted by the name of all controllers of that hierarchy; one of the single names is a link to it.
    const mounts = new Set([controller, old.controllers.join(',')]);
    const found = [...mounts].flatMap((mount) => levelsOf(`${root}/${mount}`, old.path)).map(v1);
    return least(found, 1);
  }
  const unified = groups.find(({ controllers }) => controllers.length === 0);
  if (!unified) return {};
  const mounts = [root, `${root}/unified`];
  return least(mounts.flatMap((mount) => levelsOf(mount, unified.path)).map(v2), 2);
}

function least(found: (number | undefined)[], version: 1 | 2): Limit {
  const limits = found.filter((limit) => limit !== undefined);
  return limits.length ? { limit: Math.min(...limits), version } : {};
}

/** The directory of a group and of all its ancestors. A path that leads out of the container's namespace has only the root. */
function levelsOf(mount: string, path: string): string[] {
  const names = path.split('/').filter(Boolean);
  if (names.includes('..')) return [mount];
  return Array.from({ length: names.length + 1 }, (_, depth) => [mount, ...names.slice(0, depth)].join('/'));
}

/** v1 says "none" with the largest multiple of a page that fits into 63 bits. */
const NO_LIMIT_V1 = 2 ** 62;

function memoryV1(read: Read, dir: string): number | undefined {
  const bytes = numberOf(read(`${dir}/memory.limit_in_bytes`));
  return bytes !== undefined && bytes < NO_LIMIT_V1 ? bytes : undefined;
}

function memoryV2(read: Read, dir: string): number | undefined {
  return numberOf(read(`${dir}/memory.max`));
}

/** A quota of -1 is none. */
function cpusV1(read: Read, dir: string): number | undefined {
  const quota = numberOf(read(`${dir}/cpu.cfs_quota_us`));
  const period = numberOf(read(`${dir}/cpu.cfs_period_us`)) ?? 100_000;
  return quota === undefined ? undefined : quota / period;
}

/** `max 100000` is none, `50000 100000` half a processor. */
function cpusV2(read: Read, dir: string): number | undefined {
  const [quota, period] = (read(`${dir}/cpu.max`) ?? '').trim().split(/\s+/).map(numberOf);
  return quota === undefined ? undefined : quota / (period ?? 100_000);
}

/** The number above 0 that a file holds; anything else (`max`, `-1`, nothing) is none. */
function numberOf(text: string | undefined): number | undefined {
  const value = text?.trim();
  return value && /^\d+$/.test(value) && Number(value) > 0 ? Number(value) : undefined;
}
