import { describe, expect, it } from '@jest/globals';
import { missingMessage } from './native.ts';
import { listeningInode, lsofPid, takenMessage } from './ports.ts';
import { parsePs, parseStatus, treeRss } from './processes.ts';
import { line } from './progress.ts';

describe('the owner of a port', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:3C48 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1000        0 111 1',
    '   1: 0100007F:3C48 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1',
  ].join('\n');

  it('is found by the socket that listens, not by one that is connected from the same port', () => {
    expect(listeningInode(table, 15432)).toBe('222');
    expect(listeningInode(table, 15433)).toBeUndefined();
  });

  it('is read from lsof where there is no /proc', () => {
    expect(lsofPid('p4711\nf7\n')).toBe(4711);
    expect(lsofPid('')).toBeUndefined();
  });

  it('is named together with what to do', () => {
    const message = takenMessage(15432, 'postgres', 'POSTGRES_URL', { pid: 7, command: 'postgres -D x' });
    expect(message).toBe(
      'Port 15432, for postgres, is taken by pid 7 (postgres -D x). ' +
        'Stop it (kill 7), or set POSTGRES_URL to the URL of a server to use instead.',
    );
  });
});

describe('the memory of a process tree', () => {
  const status = (pid: number, parent: number, anon: number, shmem: number) =>
    parseStatus(
      `Name:\tx\nPid:\t${pid}\nPPid:\t${parent}\nRssAnon:\t ${anon} kB\nRssFile:\t 0 kB\nRssShmem:\t ${shmem} kB\n`,
    );

  it('adds children and grandchildren, in whatever order they come, and nobody else', () => {
    const rows = [status(4, 3, 1, 0), status(3, 2, 10, 0), status(2, 1, 100, 0), status(9, 1, 5000, 0)];
    expect(treeRss(rows, 2)).toBe(111 * 1024);
  });

  it('counts shared memory once, not once per process', () => {
    const rows = [status(2, 1, 1, 64), status(3, 2, 1, 60), status(4, 2, 1, 64)];
    expect(treeRss(rows, 2)).toBe((3 + 64) * 1024);
  });

  it('is read from ps where there is no /proc', () => {
    expect(treeRss(parsePs('  10     1   50\n  11    10   7\n'), 10)).toBe(57 * 1024);
  });
});

describe('what a person reads', () => {
  it('names all missing programs and one command that brings them', () => {
    const missing = [
      { program: 'java', why: 'Kafka', apt: 'openjdk-17-jre-headless', brew: 'openjdk@17' },
      { program: 'mvn', why: 'Kafka', apt: 'maven', brew: 'maven' },
    ];
    expect(missingMessage(missing, 'linux')).toBe(
      'Missing: java (for Kafka), mvn (for Kafka). Run:\n' +
        '  sudo apt-get install -y --no-install-recommends openjdk-17-jre-headless maven',
    );
    expect(missingMessage(missing, 'darwin')).toContain('brew install openjdk@17 maven');
  });

  it('carries the seconds a step has taken', () => {
    expect(line({ step: 's3', state: 'running', message: 'building', elapsedMs: 5040 })).toBe(
      '… s3        building (5.0 s)',
    );
  });
});
