import { cgroupLimits, type Read } from './cgroup.ts';

/** What the process may use: that of its container, and never more than the host has. */
export type Limits = {
  memoryBytes: number;
  /** Processors, as a fraction: 0.5 is half of one. */
  cpus: number;
  /** Where a limit came from; `none`: these are the host's own. */
  source: 'cgroup v1' | 'cgroup v2' | 'none';
};

/** The host's processors and memory clamp whatever the control groups say. */
export function limitsFrom(
  read: Read,
  host: { memoryBytes: number; cpus: number },
  { root = '/sys/fs/cgroup', proc = '/proc/self' } = {},
): Limits {
  const { memoryBytes = Infinity, cpus = Infinity, version } = cgroupLimits(read, root, proc);
  const limited = memoryBytes < host.memoryBytes || cpus < host.cpus;
  return {
    memoryBytes: Math.min(memoryBytes, host.memoryBytes),
    cpus: Math.min(cpus, host.cpus),
    source: version && limited ? `cgroup v${version}` : 'none',
  };
}

export type Range = { min?: number; max?: number };

const PER_PROCESSOR = 8;
const BESIDES = 2;

/**
 * Connections that one process keeps to its database: 8 per processor, and 2 for what runs beside requests (the relay of the
 * outbox, a probe). An event loop has one processor, so more of them ask for no more connections. Why 8: a whole processor
 * drives about 4,400 statements a second, each about 2 ms under way, so 8 to 9 are in use (Little's law). A half gives 6, one
 * or more 10. Mind the sum over all replicas: it has to fit into the server's `max_connections`.
 */
export function poolSize({ cpus }: Pick<Limits, 'cpus'>, range: Range = {}): number {
  return clamp(Math.ceil(Math.min(cpus, 1) * PER_PROCESSOR) + BESIDES, range);
}

const MiB = 2 ** 20;
const PROCESS_BYTES = 128 * MiB;
const THREAD_BYTES = 64 * MiB;

/**
 * Worker threads for work that keeps a processor busy: one per whole processor, since more would only take turns, and no more
 * than memory has room for (64 MiB each, after 128 MiB for the process). At least one.
 */
export function threads(
  { cpus, memoryBytes }: Pick<Limits, 'cpus' | 'memoryBytes'>,
  range: Range = {},
): number {
  const room = Math.floor((memoryBytes - PROCESS_BYTES) / THREAD_BYTES);
  return clamp(Math.max(1, Math.min(Math.floor(cpus), room)), range);
}

/** Most of the memory that V8's heap may be: buffers, stacks and code need the rest. */
const HEAP_SHARE = 0.85;

/**
 * What is wrong with V8's heap limit, or undefined. Above about 85 % of the container's memory the kernel kills the process
 * before V8 collects or says what was too much: 259 MB of heap in 256 MB of container is what V8 chooses by itself.
 */
export function heapWarning(
  { memoryBytes }: Pick<Limits, 'memoryBytes'>,
  heapLimitBytes: number,
): string | undefined {
  const share = heapLimitBytes / memoryBytes;
  if (share <= HEAP_SHARE) return undefined;
  const inMiB = (bytes: number) => `${Math.round(bytes / MiB)} MiB`;
  return (
    `V8's heap may grow to ${inMiB(heapLimitBytes)}, ${Math.round(share * 100)} % of the ${inMiB(memoryBytes)} that there ` +
    'are; the kernel would kill the process first. Start node with --max-old-space-size-percentage=70.'
  );
}

function clamp(value: number, { min = 1, max = Infinity }: Range): number {
  if (min > max) throw new RangeError(`min must not be above max, got ${min} and ${max}`);
  return Math.max(min, Math.min(max, value));
}
