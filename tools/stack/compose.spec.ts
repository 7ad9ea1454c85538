import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { composeIn } from './compose.ts';
import { createGuard } from './guard.ts';

/** A `docker` that answers as told and notes what it was asked. Real containers: the check of docker-compose.yml. */
const folder = mkdtempSync(join(tmpdir(), 'compose-'));
const calls = join(folder, 'calls');
const env = { PATH: `${folder}${delimiter}${process.env['PATH']}` };
const guard = createGuard();
const work = { report: () => undefined, guard, signal: new AbortController().signal };

function docker(cases: Record<string, string>): void {
  const branches = Object.entries(cases).map(([pattern, body]) => `*"${pattern}"*) ${body} ;;`);
  const script = [
    '#!/bin/sh',
    `echo "$*" >> '${calls}'`,
    'case "$*" in',
    ...branches,
    '*) exit 1 ;;',
    'esac',
  ];
  writeFileSync(join(folder, 'docker'), script.join('\n'), { mode: 0o755 });
}

const healthy = {
  info: 'echo 20.10.24',
  'compose version': 'echo 2.26.1',
  '--services --status running': 'echo redis',
  'config --services': "printf 'postgres\\nredis\\nkafka\\ns3\\nmail\\norders\\n'",
  'up -d --wait': 'exit 0',
  ' stop ': 'exit 0',
};
const compose = composeIn(folder, env);
const called = (word: string) =>
  readFileSync(calls, 'utf8')
    .split('\n')
    .filter((call) => call.includes(word));

beforeEach(() => {
  rmSync(calls, { force: true });
  writeFileSync(join(folder, 'docker-compose.yml'), '');
  docker(healthy);
});
afterAll(() => {
  guard.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('compose', () => {
  it('is usable where an engine, Compose v2 and the services are', async () => {
    expect(await compose.answer(['postgres', 'smtp'])).toEqual({
      usable: true,
      reason: 'Docker 20.10.24 and Compose 2.26.1 answer',
    });
  });

  it.each([
    ['no Docker engine answers within 3 s', { info: 'exit 1' }],
    ['no Docker engine answers within 3 s', { info: 'sleep 60' }],
    ['Docker has no Compose v2', { 'compose version': 'exit 1' }],
    ['docker-compose.yml lacks mail', { 'config --services': 'echo postgres' }],
    ['docker-compose.yml is refused: bad indent', { 'config --services': 'echo bad indent; exit 1' }],
  ])('is not usable when %s', async (reason, change) => {
    docker({ ...healthy, ...change });
    expect(await compose.answer(['postgres', 'smtp'])).toEqual({ usable: false, reason });
  });

  it('stops what it started, and not what ran before', async () => {
    const run = await compose.up(['postgres', 'redis', 'smtp'], work, join(folder, 'log'));
    await run.stop();
    expect(called('up -d')).toEqual([expect.stringMatching(/up -d --wait postgres redis mail$/)]);
    expect(called(' stop ')).toEqual([expect.stringMatching(/stop --timeout 10 postgres mail$/)]);
  });

  it('that cannot get its images says so and leaves nothing running', async () => {
    docker({ ...healthy, 'up -d --wait': 'echo manifest unknown; exit 1' });
    await expect(compose.up(['postgres'], work, join(folder, 'log'))).rejects.toThrow('manifest unknown');
    expect(called(' stop ')).toHaveLength(1);
  });
});
