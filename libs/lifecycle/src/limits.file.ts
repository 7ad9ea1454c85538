import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { limitsFrom, type Limits } from './limits.ts';

/**
 * What this process may use. `root` is where control groups are mounted (default `/sys/fs/cgroup`), `proc` the process' own
 * folder (default `/proc/self`). Where there is neither, as on macOS, it is the host's.
 */
export function detectLimits(places: { root?: string; proc?: string } = {}): Limits {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  };
  return limitsFrom(read, { memoryBytes: totalmem(), cpus: availableParallelism() }, places);
}

/** How far V8's heap may grow, in bytes. */
export function heapLimitOf(): number {
  return getHeapStatistics().heap_size_limit;
}
