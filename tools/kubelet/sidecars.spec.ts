import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Real: the script, its shell, its signals. In the place of node there is a script that says how it was called, and goes on writing. */
const root = join(import.meta.dirname, '../..');
const script = join(root, 'infra/kubernetes/components/sidecars/run.sh');
const NODE = `#!/bin/sh
echo "$$ $*"
trap 'echo last line; exit 0' TERM
while sleep 0.02; do echo 0123456789; done
`;

let folder: string;
let app: ChildProcess;
/** Empty until the script has made the file. */
const text = () => {
  const file = join(folder, 'app.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sidecars-'));
  writeFileSync(join(folder, 'node'), NODE);
  chmodSync(join(folder, 'node'), 0o755);
});
afterEach(() => {
  // Its group: the shell's loop outlives the app where no container ends.
  process.kill(-app.pid!, 'SIGKILL');
  rmSync(folder, { recursive: true });
});

function run(limit: number): void {
  const path = [folder, process.env['PATH']].join(delimiter);
  app = spawn('/bin/sh', [script, join(folder, 'app.log'), String(limit), 'consume'], {
    env: { ...process.env, PATH: path },
    stdio: 'ignore',
    detached: true,
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20);
}

it('becomes the image’s own process, whose SIGTERM it is and whose last line is in the file', async () => {
  run(1_000_000);
  await until(() => text().length > 100);
  const dockerfile = readFileSync(join(root, 'infra/docker/app.Dockerfile'), 'utf8');
  const entrypoints = [...dockerfile.matchAll(/^ENTRYPOINT (\[.+\])$/gm)].map(([, json]) =>
    JSON.parse(json!),
  );
  const [, ...options] = entrypoints.find((each: string[]) => each.includes('./telemetry.js')) as string[];
  expect(text().split('\n')[0]).toBe(`${app.pid} ${[...options, 'consume'].join(' ')}`);
  app.kill('SIGTERM');
  expect(await once(app, 'exit')).toEqual([0, null]);
  expect(text()).toMatch(/\nlast line\n$/);
});

it('empties a file that is too long, and the app writes on from its start', async () => {
  run(200);
  await until(() => text().startsWith(`${app.pid}`));
  await until(() => text().startsWith('0123456789'));
  expect(text()).not.toContain('\0');
}, 15_000);
