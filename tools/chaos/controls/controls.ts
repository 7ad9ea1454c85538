import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { onEngines, type Engines } from '../../local/engines.ts';
import { table } from '../../local/tables.ts';
import { step } from '../../stack/progress.ts';
import { complaintsOf, copyOfCheckout, takeOut } from './controls-copy.ts';
import { patternOf, rowsOf, violationsOf, type Counts, type Trial } from './controls-verdict.ts';
import { GUARDS, type Guard } from './guards.ts';
import { UsageError } from '../kind.ts';

export const CONTROLS_USAGE = '[--only <part of a name>]';

type Checkout = { folder: string; env: NodeJS.ProcessEnv; signal: AbortSignal };

/** The jest of one trial: a test that waits for what never comes without its guard is ended by its own time-out. */
const LONGEST_MS = 180_000;

/**
 * Takes each guard out of a copy of this checkout, one at a time, and runs the test that is there for it: with the guard
 * it must pass, without it it must fail. 1 when any control does not hold.
 */
export async function controls(args: string[]): Promise<number> {
  const guards = chosen(args);
  const wrong = guards.flatMap((guard) =>
    complaintsOf(guard).map((complaint) => `${guard.name}: ${complaint}`),
  );
  if (wrong.length > 0) return tell([], wrong);
  return onEngines('controls', (engines) => tryAll(guards, engines));
}

async function tryAll(guards: Guard[], { stack, report, signal }: Engines): Promise<number> {
  const copy = copyOfCheckout();
  const trials: Trial[] = [];
  try {
    const checkout = { folder: copy.folder, env: { ...process.env, ...stack.env }, signal };
    for (const guard of guards) {
      let said = '';
      const work = async () => {
        const trial = await tryOut(guard, checkout);
        trials.push(trial);
        said = violationsOf(trial)[0] ?? 'fails without it';
      };
      await step(report, 'control', guard.name, work, () => (said ? `: ${said}` : ''));
      signal.throwIfAborted();
    }
  } finally {
    copy.remove();
  }
  return tell(trials, trials.flatMap(violationsOf));
}

function chosen(args: string[]): Guard[] {
  const { values } = parseArgs({ args, options: { only: { type: 'string' } } });
  const guards = GUARDS.filter(({ name }) => name.includes(values.only ?? ''));
  if (guards.length > 0) return guards;
  throw new UsageError(
    `no guard is called "${values.only}". There are: ${GUARDS.map(({ name }) => name).join(', ')}`,
  );
}

async function tryOut(guard: Guard, checkout: Checkout): Promise<Trial> {
  const began = performance.now();
  const trial: Trial = { guard, with: await jest(guard, checkout), tookMs: 0 };
  if (trial.with.passed > 0 && trial.with.failed + trial.with.broken === 0) {
    const putBack = takeOut(guard, checkout.folder);
    try {
      trial.without = await jest(guard, checkout);
    } finally {
      putBack();
    }
  }
  return { ...trial, tookMs: performance.now() - began };
}

async function jest({ spec, test }: Guard, { folder, env, signal }: Checkout): Promise<Counts> {
  const results = join(folder, 'results.json');
  rmSync(results, { force: true });
  const child = spawn(
    process.execPath,
    [
      ...[
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
      ],
      ...[spec, '-t', patternOf(test), '--runInBand', '--forceExit', '--json', `--outputFile=${results}`],
    ],
    // Its temporary files are its own, so that nothing is taken for the other form of the copy.
    { cwd: folder, env, stdio: 'ignore', detached: true },
  );
  const end = () => void (child.exitCode === null && process.kill(-child.pid!, 'SIGKILL'));
  signal.addEventListener('abort', end, { once: true });
  const timer = setTimeout(end, LONGEST_MS);
  await once(child, 'exit');
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  return existsSync(results) ? countsIn(results) : { passed: 0, failed: 0, broken: 1 };
}

function countsIn(file: string): Counts {
  const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  const count = (name: string) => json[name] ?? 0;
  return {
    passed: count('numPassedTests'),
    failed: count('numFailedTests'),
    broken: count('numRuntimeErrorTestSuites'),
  };
}

function tell(trials: Trial[], wrong: string[]): number {
  if (trials.length > 0) console.log(`\n${table(rowsOf(trials))}\n`);
  for (const one of wrong) console.log(`✗ ${one}`);
  if (wrong.length === 0)
    console.log(`✓ each of ${trials.length} guards is missed by its test when it is taken out`);
  return wrong.length > 0 ? 1 : 0;
}
