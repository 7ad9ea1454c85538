import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError, parseConfig, type Schema } from '@cairn/config';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { brokenEnvironments } from './config.broken.fixture.ts';
import { GOOD, type Env } from './config.environments.fixture.ts';

/**
 * Every broken environment stops a real process: exit code 78, one line, all problems, no stack trace, and nothing of a
 * secret. Real: the processes, their environments and their files.
 */
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'cairn-config-'));
const rows = brokenEnvironments(folder);
afterAll(() => rmSync(folder, { recursive: true }));

for (const [name, content] of Object.entries({
  key: 'canary-in-a-file\n',
  word: 'canary\n',
  empty: '\n',
  binary: Buffer.from([0xff, 0xfe, ...Buffer.from('canary')]),
  'two-ends': 'canary-in-a-file\n\n',
  mysql: 'mysql://payments:canary-in-a-file@db.internal/payments\n',
}))
  writeFileSync(join(folder, name), content);

type Ended = { status: number | null; stdout: string; stderr: string; ms: number };

async function run(args: string[], env: Env): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, ['--conditions=@cairn/source', ...args], {
    cwd: root,
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr, ms: performance.now() - started };
}

const mainOf = (app: string) => `apps/${app}/src/main.ts`;
const leaks = ({ stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>) => /canary/i.test(stdout + stderr);

/** A few at a time: a machine has few processors, and each process is busy with starting. */
async function inParallel<T, R>(items: T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

describe('a broken environment', () => {
  let results: Ended[] = [];
  beforeAll(async () => {
    results = await inParallel(rows, 4, ({ app, env }) =>
      run([mainOf(app), 'all'], { ...GOOD[app], ...env }),
    );
    if (process.env['CONFIG_TIMES'])
      console.log(results.map(({ ms }) => Math.round(ms)).toSorted((a, b) => a - b));
  }, 300_000);

  it('is one of at least 30', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
    expect(new Set(rows.map(({ app }) => app)).size).toBe(5);
  });

  it.each(rows.map((row, i) => [row.app, row.is, i] as const))('of %s: %s', (app, _, i) => {
    const { told, says = [] } = rows[i]!;
    const result = results[i]!;
    expect(result).toMatchObject({ status: 78, stderr: '' });
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(1);
    const line = JSON.parse(result.stdout) as Record<string, unknown> & {
      problems: Record<string, string>[];
    };
    expect(line).toMatchObject({ severity: 'fatal', event: 'config_invalid', 'service.name': app });
    expect(line.problems.map(({ variable }) => variable)).toEqual(told);
    const remedies = line.problems.map(({ fix }) => fix).join('\n');
    for (const remedy of says) expect(remedies).toContain(remedy);
    for (const problem of line.problems) {
      expect(Object.keys(problem)).toEqual(['variable', 'source', 'expected', 'got', 'fix']);
      for (const cell of Object.values(problem)) {
        expect(cell).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]+$/u);
        expect(cell.length).toBeLessThan(300);
      }
    }
    expect(result.stdout).not.toMatch(/^ +at |node:internal|\.ts:\d/m);
    expect(leaks(result)).toBe(false);
  });

  it.each(rows.map((row, i) => [row.app, row.is, i] as const))('of %s as a table: %s', async (app, _, i) => {
    const { env, told } = rows[i]!;
    const { schema } = (await import(join(root, `apps/${app}/src/config.ts`))) as { schema: Schema };
    const message = messageOf(schema, { ...GOOD[app], ...env });
    expect(leaks({ stdout: message, stderr: '' })).toBe(false);
    // Each row begins with its variable; nothing that a value holds begins another line.
    const body = message.split('\n\n')[1]!.split('\n').slice(1);
    expect(body.flatMap((line) => /^ {2}(\S+) /.exec(line)?.[1] ?? [])).toEqual(told);
    expect(message.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  });
});

function messageOf(schema: Schema, env: Env): string {
  try {
    parseConfig(schema, env);
    return '';
  } catch (error) {
    return (error as ConfigError).message;
  }
}

describe('a good environment', () => {
  const apps = Object.keys(GOOD) as (keyof typeof GOOD)[];

  it.each(apps)(
    'of %s is printed by "config", masked, with where it came from',
    async (app) => {
      const secretFile = { REDIS_URL: undefined, REDIS_URL_FILE: join(folder, 'redis') };
      writeFileSync(join(folder, 'redis'), 'rediss://default:canary-redis@redis.internal\n');
      const env = { ...GOOD[app], ...(app === 'orders' && secretFile), DRAIN_MS: '3s' };
      const result = await run([mainOf(app), 'config'], env);
      expect(result).toMatchObject({ status: 0, stderr: '' });
      expect(result.stdout).toMatch(/^ {2}DRAIN_MS +3000 +environment$/m);
      expect(result.stdout).toMatch(
        /^ {2}KAFKA_BROKERS +kafka-1.internal:9092,kafka-2.internal:9092 +environment$/m,
      );
      if (app === 'orders') expect(result.stdout).toMatch(/^ {2}REDIS_URL +\*+ +file .*\/redis$/m);
      expect(leaks(result)).toBe(false);
    },
    20_000,
  );

  it('is enough for "config explain", which tells of one variable, also when another is bad', async () => {
    const env = { ...GOOD.orders, PORT: 'x' };
    const asked = ['DATABASE_URL', 'PORT', 'DATABSE_URL', 'CONFUSED'];
    const [url, port, misspelt, unknown] = await inParallel(asked, 4, (name) =>
      run([mainOf('orders'), 'config', 'explain', name], env),
    );
    expect(url!.stdout).toMatch(
      /meaning +database of orders[^]*in force +postgres:\/\/orders:\*+@db.internal[^]*environment/,
    );
    expect(port!.stdout).toMatch(/in force +x\n[^]*problem +expected a port/);
    expect(misspelt).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Did you mean DATABASE_URL?'),
    });
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect([url, port, misspelt].some((result) => leaks(result!))).toBe(false);
  }, 60_000);
});

describe('the judge of leaks', () => {
  // What this file asserts would hold for a process that says nothing, or a mask that nobody looks behind.
  it('sees a secret that nobody declared to be one', async () => {
    const program = `
      import { integer, loadConfig, secret } from '@cairn/config';
      import { z } from 'zod';
      loadConfig(z.object({ API_KEY: process.argv[1] === 'secret' ? secret('key') : integer('key'), PORT: integer('port') }));`;
    const [masked, leaking] = await inParallel(['secret', 'plain'], 2, (how) =>
      run(['--input-type=module', '-e', program, how], { API_KEY: 'canary-key', PORT: 'x' }),
    );
    expect([masked!.status, leaking!.status]).toEqual([78, 78]);
    expect([leaks(masked!), leaks(leaking!)]).toEqual([false, true]);
  }, 60_000);
});
