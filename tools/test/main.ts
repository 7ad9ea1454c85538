import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { step, printer } from '../stack/progress.ts';
import { startStack, StackError, type Engine } from '../stack/stack.ts';
import { run } from '../local/run.ts';

/**
 * `npm test [-- path …]`: builds, starts its own engines on free ports, and runs every test on them: the parallel ones
 * first, then those that run the whole system, one file at a time. An engine that dies ends the run and is named.
 */
type Counts = { passed: number; failed: number };

const report = printer();
const leaving = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leaving.abort(signal));
process.on('disconnect', () => leaving.abort('the end of npm'));

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\n✗ ${error instanceof StackError ? error.message : (error as Error).stack}`);
  return 1;
});
process.exit();

async function main(paths: string[]): Promise<number> {
  await step(report, 'build', 'apps and simulators', () => run(process.execPath, ['tools/build/main.ts']));
  const stack = await startStack({
    name: 'test',
    ports: 'free',
    fresh: true,
    report,
    signal: leaving.signal,
  });
  stack.onEngineGone((engine, reason) => leaving.abort(`${nameOf(engine)} is gone (${reason})`));
  const total: Counts = { passed: 0, failed: 0 };
  try {
    const env = { ...process.env, ...stack.env };
    const phases = paths.length
      ? [[...paths, '--runInBand']]
      : [
          ['--testPathIgnorePatterns', '\\.e2e\\.', '--maxWorkers=2'],
          ['\\.e2e\\.spec', '--runInBand'],
        ];
    for (const phase of phases) {
      const counts = await jest(phase, env);
      total.passed += counts.passed;
      total.failed += counts.failed;
      if (leaving.signal.aborted) break;
    }
  } finally {
    await stack.stop();
  }
  if (leaving.signal.aborted) {
    console.error(`\n✗ The tests were ended: ${String(leaving.signal.reason)}.`);
    total.failed += 1;
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function nameOf({ name, version, pid, log }: Engine): string {
  return `${name} ${version}${pid ? `, pid ${pid}` : ''}${log ? `, log ${log}` : ''},`;
}

/** Runs jest to its end, or until somebody leaves: then it is killed, since its tests would only wait for time-outs. */
async function jest(args: string[], env: NodeJS.ProcessEnv): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-test-'));
  const results = join(folder, 'results.json');
  try {
    const child = spawn(
      process.execPath,
      [
        ...[
          '--experimental-vm-modules',
          '--disable-warning=ExperimentalWarning',
          'node_modules/jest/bin/jest.js',
        ],
        ...['--json', `--outputFile=${results}`, ...args],
      ],
      // The results also go to stdout with --json; what people read is on stderr.
      { env, stdio: ['ignore', 'ignore', 'inherit'], detached: true },
    );
    // The group: jest's workers would outlive it.
    const end = () => process.kill(-child.pid!, 'SIGKILL');
    leaving.signal.addEventListener('abort', end, { once: true });
    const exited = once(child, 'exit');
    const stuck = !(await exitsAfter(results, exited));
    if (stuck) {
      console.error(
        '✗ jest is done and does not exit: a test has left something open. Its process is ended.',
      );
      end();
      await exited;
    }
    leaving.signal.removeEventListener('abort', end);
    const counts = countsIn(results);
    return stuck ? { ...counts, failed: counts.failed + 1 } : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** False when jest has written its results and is still there 15 s later. */
async function exitsAfter(results: string, exited: Promise<unknown>): Promise<boolean> {
  const gone = exited.then(() => true);
  while (!existsSync(results)) if (await Promise.race([gone, delay(500, false)])) return true;
  return Promise.race([gone, delay(15_000, false)]);
}

function countsIn(results: string): Counts {
  try {
    const json = JSON.parse(readFileSync(results, 'utf8')) as Record<string, number>;
    // A suite that cannot even be loaded has no failing test in it.
    const broken = json['numRuntimeErrorTestSuites'] ?? 0;
    return { passed: json['numPassedTests'] ?? 0, failed: (json['numFailedTests'] ?? 0) + broken };
  } catch {
    return { passed: 0, failed: leaving.signal.aborted ? 0 : 1 };
  }
}
