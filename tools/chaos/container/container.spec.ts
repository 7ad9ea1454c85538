import { describe, expect, it } from '@jest/globals';
import { containerViolations, type Seen } from './container-verdict.ts';

const MiB = 2 ** 20;
const EXPECTED = { cpus: 0.5, memoryBytes: 256 * MiB, databasePool: 6, leastRequests: 1000 };
const LIMITS = {
  source: 'cgroup v1',
  cpus: 0.5,
  memory_bytes: 256 * MiB,
  heap_limit_bytes: 180 * MiB,
  database_pool: 6,
};
const GOOD: Seen = {
  limits: LIMITS,
  oomKilled: false,
  restarted: false,
  peakBytes: 200 * MiB,
  connections: 6,
  requests: 5000,
  failed: 0,
};

describe('a container under load', () => {
  it('is as it must be', () => {
    expect(containerViolations(GOOD, EXPECTED)).toEqual([]);
  });

  it.each<[string, Partial<Seen>]>([
    ['no limit was detected', { limits: { ...LIMITS, source: 'none' } }],
    ['cpus: 2 were detected', { limits: { ...LIMITS, cpus: 2 } }],
    ['memory: 1 bytes were detected', { limits: { ...LIMITS, memory_bytes: 1 } }],
    ['more than 85 %', { limits: { ...LIMITS, heap_limit_bytes: 259 * MiB } }],
    ['the pool is 10', { limits: { ...LIMITS, database_pool: 10 } }],
    ['PostgreSQL saw 7 connections', { connections: 7 }],
    ['out of memory', { oomKilled: true }],
    ['started again', { restarted: true }],
    ['1 of 5000 requests failed', { failed: 1 }],
    ['only 999 requests', { requests: 999 }],
  ])('is not when %s', (sentence, change) => {
    expect(containerViolations({ ...GOOD, ...change }, EXPECTED)).toEqual([
      expect.stringContaining(sentence),
    ]);
  });
});
