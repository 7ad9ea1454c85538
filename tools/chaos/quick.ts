import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from '../local/run.ts';
import { table } from '../local/tables.ts';
import { repoRoot, stackDir } from '../stack/paths.ts';
import { quickRows, verdictsIn, type QuickResult } from './quick-summary.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

/**
 * The quick form of each kind, one after the other, each in a process of its own: one that goes wrong takes no other with
 * it. 1 when any of them fails.
 */
export async function quick(kinds: string[]): Promise<number> {
  const folder = join(stackDir('chaos'), 'quick');
  mkdirSync(folder, { recursive: true });
  const began = performance.now();
  // Once for all of them: each would build the same again.
  await run(process.execPath, ['tools/build/main.ts']);
  const results: QuickResult[] = [];
  for (const kind of kinds) {
    console.log(`\n── ${kind} --quick`);
    results.push(await one(kind, join(folder, `${kind}.log`)));
    if (results.at(-1)!.calledOff) break;
  }
  console.log(`\n${table(quickRows(results))}\n`);
  const failed = results.filter(({ code }) => code !== 0);
  for (const { kind, verdicts } of failed)
    for (const verdict of verdicts.slice(0, 5)) console.log(`✗ ${kind}: ${verdict}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const passed = `${results.length - failed.length} of ${kinds.length} passed in ${seconds} s`;
  console.log(`${failed.length === 0 && results.length === kinds.length ? '✓' : '✗'} ${passed}.`);
  console.log(`What each has printed: ${relative(repoRoot, folder)}/`);
  return failed.length === 0 && results.length === kinds.length ? 0 : 1;
}

async function one(kind: string, file: string): Promise<QuickResult> {
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, kind, '--quick'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CHAOS_IS_BUILT: '1' },
  });
  let calledOff = false;
  const leave = () => {
    calledOff = true;
    child.kill('SIGTERM');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.on(signal, leave);
  const log = createWriteStream(file);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      log.write(chunk);
      process.stdout.write(chunk);
    });
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  log.end();
  for (const signal of ['SIGINT', 'SIGTERM', 'disconnect'] as const) process.off(signal, leave);
  const verdicts = verdictsIn(text, code === 0);
  return { kind, code, tookMs: performance.now() - began, verdicts, calledOff };
}
