import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { blockOf, shows } from './readme.ts';

/** The READMEs of libs and apps say what is so: their examples are run, and their tables are held against the code. */
const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const libs = globSync('libs/*', { cwd: root }).map((path) => basename(path));

/** Runs TypeScript as if it stood in this repository, on the libs' sources; decorators included. */
async function run(source: string, timeout = 20_000) {
  const { outputFiles } = await build({
    stdin: { contents: source, loader: 'ts', resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    conditions: ['@cairn/source'],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    plugins: [
      {
        name: 'ours-in-all-others-out',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            path.startsWith('@cairn/') || kind === 'entry-point' ? undefined : { path, external: true },
          ),
      },
    ],
  });
  const { stdout, stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '-'], {
    cwd: root,
    input: outputFiles[0]!.text,
    encoding: 'utf8',
    timeout,
  });
  return stdout + stderr + (signal === null ? '' : `it did not end: ${signal}`);
}

describe.each(libs)('the README of libs/%s', (lib) => {
  const page = read(`libs/${lib}/README.md`);

  it('has an example that prints what it says', async () => {
    const output = await run(blockOf(page, 'ts'));
    if (!shows(blockOf(page, 'text'), output)) expect(output).toBe(blockOf(page, 'text'));
  }, 30_000);

  it('names nothing in its tables that the source does not have', () => {
    const source = globSync(`libs/${lib}/src/**/*.ts`, { cwd: root }).map(read).join('\n');
    const cells = page.split('\n').flatMap((row) => /^\|(.*?)\|(.*?)\|/.exec(row)?.slice(1) ?? []);
    const names = cells.flatMap((cell) =>
      [...cell.matchAll(/`([^`]*)`/g)].flatMap((m) => m[1]!.match(/[a-z]\w{3,}/gi) ?? []),
    );
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => !source.includes(name))).toEqual([]);
  });

  it('stays short, and has a changelog of the version in package.json', () => {
    // Code and tables are looked up; the rest is to be read.
    const prose = page.replace(/^```.*?^```$/gms, '').match(/^[^|#\n].*$/gm) ?? [];
    expect(prose.length).toBeLessThanOrEqual(60);
    const { version } = JSON.parse(read(`libs/${lib}/package.json`)) as { version: string };
    expect(read(`libs/${lib}/CHANGELOG.md`)).toMatch(
      new RegExp(`^## ${version} – \\d{4}-\\d\\d-\\d\\d$`, 'm'),
    );
  });
});

describe.each(globSync('apps/*', { cwd: root }))('the README of %s', (app) => {
  const page = read(`${app}/README.md`);
  const cellsOf = (kind: string) =>
    page
      .split('\n')
      .filter((row) => new RegExp(`^\\| ${kind} +\\|`).test(row))
      .join('\n');
  const namesIn = (text: string, name: RegExp) => [...new Set(text.match(name) ?? [])].sort();
  const EVENT = /\b[a-z]+\.[a-z_]+\.v\d+\b/g;

  it('lists the commands of main.ts', () => {
    const commands = [...read(`${app}/src/main.ts`).matchAll(/^ {2}'?([\w:]+)'?: \{/gm)].map((m) => m[1]);
    expect([...page.matchAll(/^\| `([a-z:]+)` +\|/gm)].map((m) => m[1])).toEqual(commands);
  });

  it('lists the events that come in and go out', () => {
    const consumers = globSync(`${app}/src/*.consumer.ts`, { cwd: root }).map(read).join();
    expect(namesIn(cellsOf('in'), EVENT)).toEqual(namesIn(consumers, EVENT));
    const { operations } = JSON.parse(read(`contracts/${basename(app)}.asyncapi.json`)) as {
      operations: object;
    };
    const sent = Object.keys(operations).filter((name) => name.startsWith('send.'));
    expect(namesIn(cellsOf('out'), EVENT)).toEqual(namesIn(sent.join(' '), EVENT));
  });

  it('lists the paths of its API', () => {
    const [contract = '{"paths":{}}'] = globSync(`contracts/${basename(app)}.openapi.json`, {
      cwd: root,
    }).map(read);
    const { paths } = JSON.parse(contract) as { paths: object };
    expect(namesIn(cellsOf('HTTP'), /\/api\/v1[^`]*/g)).toEqual(Object.keys(paths).sort());
  });

  it('sets no variable that is not read', () => {
    const config = read(`${app}/src/config.ts`);
    const set = [...page.matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map((m) => m[1]!);
    expect(set.filter((name) => !config.includes(`  ${name}: `))).toEqual([]);
  });
});

describe('the runner', () => {
  it('sees an example that fails or prints something else', async () => {
    expect(shows('time …, port 1', 'time 12:00, port 1\n')).toBe(true);
    expect(shows('time …, port 1', 'time 12:00, port 2\n')).toBe(false);
    expect(shows('one', 'one\ntwo\n')).toBe(false);
    expect(await run("throw new Error('broken');")).toContain('Error: broken');
    expect(await run('console.log(1); setInterval(() => {}, 1000);', 500)).toBe('1\nit did not end: SIGTERM');
  });
});
