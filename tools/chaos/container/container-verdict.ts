/** What was seen of a container, from inside and outside. */
export type Seen = {
  /** The line `limits_detected` of its log. */
  limits: {
    source: string;
    cpus: number;
    memory_bytes: number;
    heap_limit_bytes: number;
    database_pool: number;
  };
  oomKilled: boolean;
  restarted: boolean;
  peakBytes: number;
  /** Most connections to its database at a time, asked of PostgreSQL. */
  connections: number;
  requests: number;
  failed: number;
};

export type Expected = { cpus: number; memoryBytes: number; databasePool: number; leastRequests: number };

/** What is not as it must be, in a sentence each. */
export function containerViolations(seen: Seen, expected: Expected): string[] {
  const { limits } = seen;
  const wrong = (is: boolean, sentence: string) => (is ? [sentence] : []);
  return [
    ...wrong(limits.source === 'none', 'no limit was detected'),
    ...wrong(limits.cpus !== expected.cpus, `cpus: ${limits.cpus} were detected, not ${expected.cpus}`),
    ...wrong(
      limits.memory_bytes !== expected.memoryBytes,
      `memory: ${limits.memory_bytes} bytes were detected, not ${expected.memoryBytes}`,
    ),
    ...wrong(
      limits.heap_limit_bytes > 0.85 * expected.memoryBytes,
      `V8's heap may grow to ${limits.heap_limit_bytes} bytes, more than 85 % of the memory`,
    ),
    ...wrong(
      limits.database_pool !== expected.databasePool,
      `the pool is ${limits.database_pool}, not the ${expected.databasePool} that follow from the limits`,
    ),
    ...wrong(
      seen.connections > limits.database_pool,
      `PostgreSQL saw ${seen.connections} connections, more than the pool's ${limits.database_pool}`,
    ),
    ...wrong(seen.oomKilled, 'the kernel killed it: out of memory'),
    ...wrong(seen.restarted, 'it was started again'),
    ...wrong(seen.failed > 0, `${seen.failed} of ${seen.requests} requests failed`),
    ...wrong(
      seen.requests < expected.leastRequests,
      `only ${seen.requests} requests came through, less than ${expected.leastRequests}`,
    ),
  ];
}
