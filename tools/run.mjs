#!/usr/bin/env node
/**
 * `npm start` and the other root commands come here, on whatever Node the machine has. It installs the dependencies
 * when they are missing or out of date, and hands over to the workspace's own Node, which runs TypeScript as it is.
 * Plain JavaScript without imports from packages, because nothing may be installed yet.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const COMMANDS = {
  start: 'tools/start.ts',
  demo: 'tools/demo/main.ts',
  token: 'tools/token.ts',
  doctor: 'tools/doctor.ts',
  bench: 'tools/bench/main.ts',
  chaos: 'tools/chaos/main.ts',
  test: 'tools/test/main.ts',
  lint: 'tools/lint.ts',
  pipeline: 'tools/pipeline/main.ts',
  build: 'tools/build/main.ts',
  images: 'tools/images/main.ts',
  'verify:infra': 'tools/infra/main.ts',
};

const [command = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, command)) {
  console.error(`no command "${command}". There are: ${Object.keys(COMMANDS).join(', ')}`);
  process.exit(2);
}
process.chdir(root);
await installDependencies();
await handOver(COMMANDS[command]);

/** `npm ci` when package-lock.json is not the one that was installed last. */
async function installDependencies() {
  const stamp = 'node_modules/.cairn-lock';
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  console.error('… installing dependencies (npm ci; the first time takes a minute or two)');
  const timer = setInterval(() => console.error(`… still installing (${seconds()})`), 10_000);
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve) => npm.on('error', resolve).on('exit', resolve));
  clearInterval(timer);
  if (code !== 0) {
    console.error(`npm ci failed (${code}). Run it by hand to see all it says: npm ci`);
    process.exit(1);
  }
  writeFileSync(stamp, lock);
  console.error(`✓ dependencies are installed (${seconds()})`);
}

/** Runs the command on the workspace's Node and goes when it goes, or lets it go when this process is ended. */
async function handOver(script) {
  const bin = join(root, 'node_modules/.bin');
  const own = join(bin, 'node');
  const node = existsSync(own) ? own : process.execPath;
  if (node === process.execPath && !isNewEnough(process.versions.node)) {
    console.error(
      `Cairn needs Node 24.11 or later, this is ${process.versions.node}. On Linux (x64, arm64) the right one`,
    );
    console.error('comes with the dependencies; on other systems install it and start again.');
    process.exit(1);
  }
  // The condition makes our own libraries resolve to their source: nothing need be built before a tool can run.
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=@cairn/source'];
  const child = spawn(node, [...flags, script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  // Ctrl-C reaches the child by itself, as one of the terminal's foreground group.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500);
  const [code, signal] = await new Promise((resolve) => child.on('exit', (...how) => resolve(how)));
  clearInterval(watch);
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 11);
}
