import { describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { cgroupLimits } from './cgroup.ts';
import { detectLimits, heapLimitOf, heapWarning, limitsFrom, poolSize, threads } from './index.ts';

const MiB = 2 ** 20;
const HOST = { memoryBytes: 8192 * MiB, cpus: 4 };
const NONE = '9223372036854771712\n';
const V1_CGROUP = (path: string) =>
  [
    '12:pids:/',
    `9:memory:${path}`,
    `4:cpu,cpuacct:${path}`,
    '2:cpuset:/',
    '1:name=systemd:/',
    '0::/',
    '',
  ].join('\n');

type Files = Record<string, string>;
const from = (files: Files, host = HOST) => limitsFrom((path) => files[path], host);

/** What the kernel shows, as found on machines of each kind. */
const TABLE: [string, Files, ReturnType<typeof from>][] = [
  [
    'docker run --memory=256m --cpus=0.5 on v1, where the own path is not visible',
    {
      '/proc/self/cgroup': V1_CGROUP('/docker/3f2a'),
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    },
    { memoryBytes: 256 * MiB, cpus: 0.5, source: 'cgroup v1' },
  ],
  [
    'v1 with nested paths: the least of all levels holds',
    {
      '/proc/self/cgroup': V1_CGROUP('/kubepods/burstable/pod1/c1'),
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': NONE,
      '/sys/fs/cgroup/memory/kubepods/memory.limit_in_bytes': `${4096 * MiB}\n`,
      '/sys/fs/cgroup/memory/kubepods/burstable/pod1/memory.limit_in_bytes': `${300 * MiB}\n`,
      '/sys/fs/cgroup/memory/kubepods/burstable/pod1/c1/memory.limit_in_bytes': `${512 * MiB}\n`,
      '/sys/fs/cgroup/cpu/kubepods/burstable/pod1/c1/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/kubepods/burstable/pod1/cpu.cfs_quota_us': '25000\n',
      '/sys/fs/cgroup/cpu/kubepods/burstable/pod1/cpu.cfs_period_us': '100000\n',
    },
    { memoryBytes: 300 * MiB, cpus: 0.25, source: 'cgroup v1' },
  ],
  [
    'v1 without limits',
    {
      '/proc/self/cgroup': V1_CGROUP('/user.slice'),
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': NONE,
      '/sys/fs/cgroup/memory/user.slice/memory.limit_in_bytes': NONE,
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    { ...HOST, source: 'none' },
  ],
  [
    'v2 in a container with a namespace of its own',
    {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': '268435456\n',
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
    },
    { memoryBytes: 256 * MiB, cpus: 1.5, source: 'cgroup v2' },
  ],
  [
    'v2 with nested paths: an ancestor may have less',
    {
      '/proc/self/cgroup': '0::/system.slice/app.service/main\n',
      '/sys/fs/cgroup/system.slice/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/app.service/memory.max': '536870912\n',
      '/sys/fs/cgroup/system.slice/app.service/main/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/app.service/main/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/system.slice/cpu.max': '200000 100000\n',
    },
    { memoryBytes: 512 * MiB, cpus: 2, source: 'cgroup v2' },
  ],
  [
    'v2 in a sub-group that was moved out of the namespace',
    {
      '/proc/self/cgroup': '0::/../../other\n',
      '/sys/fs/cgroup/memory.max': '134217728\n',
      '/sys/fs/cgroup/../../other/memory.max': '1048576\n',
    },
    { memoryBytes: 128 * MiB, cpus: 4, source: 'cgroup v2' },
  ],
  [
    'v2 without limits',
    {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': 'max\n',
      '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    },
    { ...HOST, source: 'none' },
  ],
  [
    'hybrid: v1 has the controllers, v2 is mounted beside without any',
    {
      '/proc/self/cgroup': V1_CGROUP('/job'),
      '/sys/fs/cgroup/memory/job/memory.limit_in_bytes': `${1024 * MiB}\n`,
      '/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/unified/cgroup.procs': '1\n',
    },
    { memoryBytes: 1024 * MiB, cpus: 4, source: 'cgroup v1' },
  ],
  [
    'hybrid: memory in v1, processors in v2',
    {
      '/proc/self/cgroup': '5:memory:/job\n0::/job\n',
      '/sys/fs/cgroup/memory/job/memory.limit_in_bytes': `${1024 * MiB}\n`,
      '/sys/fs/cgroup/unified/job/cpu.max': '50000 100000\n',
    },
    { memoryBytes: 1024 * MiB, cpus: 0.5, source: 'cgroup v2' },
  ],
  [
    'limits above what the host has',
    {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': `${64 * 1024 * MiB}\n`,
      '/sys/fs/cgroup/cpu.max': '1600000 100000\n',
    },
    { ...HOST, source: 'none' },
  ],
  ['no control groups, as on macOS', {}, { ...HOST, source: 'none' }],
  [
    'files that hold nothing of use',
    {
      '/proc/self/cgroup': 'garbage\n0::/\n',
      '/sys/fs/cgroup/memory.max': '\n',
      '/sys/fs/cgroup/cpu.max': 'lots of it',
    },
    { ...HOST, source: 'none' },
  ],
];

describe('limitsFrom', () => {
  it.each(TABLE)('reads %s', (_, files, expected) => {
    expect(from(files)).toEqual(expected);
  });
});

describe('cgroupLimits', () => {
  it('takes the largest number that v1 can hold for no limit', () => {
    const files: Files = {
      '/proc/self/cgroup': V1_CGROUP('/'),
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': NONE,
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    };
    const limits = cgroupLimits((path) => files[path], '/sys/fs/cgroup', '/proc/self');
    expect(limits).toEqual({ memoryBytes: undefined, cpus: undefined, version: undefined });
  });
});

describe('detectLimits', () => {
  it('reads real files', () => {
    const home = mkdtempSync(join(tmpdir(), 'cairn-cgroup-'));
    const files = {
      'proc/cgroup': '0::/job\n',
      'root/job/memory.max': '33554432\n',
      'root/job/cpu.max': '10000 100000\n',
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    const limits = detectLimits({ root: join(home, 'root'), proc: join(home, 'proc') });
    rmSync(home, { recursive: true });
    expect(limits).toEqual({ memoryBytes: 32 * MiB, cpus: 0.1, source: 'cgroup v2' });
  });

  it('is within what this machine has', () => {
    const { memoryBytes, cpus } = detectLimits();
    expect(memoryBytes).toBeGreaterThan(32 * MiB);
    expect(memoryBytes).toBeLessThanOrEqual(totalmem());
    expect(cpus).toBeGreaterThan(0);
    expect(cpus).toBeLessThanOrEqual(availableParallelism());
  });
});

describe('sizes', () => {
  it.each([
    [0.1, 3],
    [0.25, 4],
    [0.5, 6],
    [1, 10],
    [2, 10],
    [64, 10],
  ])('%d processors drive a pool of %d connections', (cpus, size) => {
    expect(poolSize({ cpus })).toBe(size);
  });

  it.each([
    [0.5, 256, 1],
    [1, 256, 1],
    [2, 256, 2],
    [4, 256, 2],
    [4, 512, 4],
    [4.9, 8192, 4],
    [8, 64, 1],
  ])('%d processors and %d MiB have room for %d threads', (cpus, mib, count) => {
    expect(threads({ cpus, memoryBytes: mib * MiB })).toBe(count);
  });

  it('keep to the range that they are given', () => {
    expect(poolSize({ cpus: 0.1 }, { min: 5 })).toBe(5);
    expect(poolSize({ cpus: 8 }, { max: 4 })).toBe(4);
    expect(threads({ cpus: 16, memoryBytes: 2 ** 40 }, { max: 8 })).toBe(8);
    expect(() => poolSize({ cpus: 1 }, { min: 3, max: 2 })).toThrow('min must not be above max, got 3 and 2');
  });
});

describe('heapWarning', () => {
  it('warns when V8 may take more than the kernel lets it', () => {
    expect(heapWarning({ memoryBytes: 256 * MiB }, 259 * MiB)).toMatch(
      /259 MiB, 101 % of the 256 MiB .* --max-old-space-size-percentage=70/,
    );
  });

  it('is silent when there is room beside the heap', () => {
    expect(heapWarning({ memoryBytes: 256 * MiB }, 0.85 * 256 * MiB)).toBeUndefined();
    expect(heapWarning({ memoryBytes: totalmem() }, heapLimitOf())).toBeUndefined();
  });
});
