import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { anyCommand, type Command, type Step } from './commands.fixture.ts';
import { Real } from './real.fixture.ts';
import { Ambiguous } from './reference-time.fixture.ts';
import { Reference } from './reference.fixture.ts';
import { anySettings, shortSettings, type Settings } from './settings.fixture.ts';

/** How much was checked. */
export type Tally = {
  schedules: number;
  steps: number;
  /** Schedules that ended early, because no rule said which of two things comes first. */
  cut: number;
  /** All that has happened, without the numbers. */
  happened: Set<string>;
};

export const nothingYet = (): Tally => ({ schedules: 0, steps: 0, cut: 0, happened: new Set() });

/**
 * Runs a property for `RESILIENCE_RUNS` schedules from `RESILIENCE_SEED`; by default the same ones each time.
 *
 * @throws Error that says how to run what failed again
 */
export async function holds(property: fc.IAsyncProperty<unknown>, where: string): Promise<void> {
  const { RESILIENCE_SEED: seed, RESILIENCE_RUNS: runs, RESILIENCE_PATH: path } = process.env;
  const details = await fc.check(property, {
    seed: Number(seed ?? 20_261_122),
    numRuns: Number(runs ?? 10_000),
    ...(path && { path }),
  });
  if (!details.failed) return;
  const again = `RESILIENCE_SEED=${details.seed} RESILIENCE_PATH='${details.counterexamplePath}' npm test -- ${where}`;
  const error = details.errorInstance as Error;
  const report = [error.message, fc.defaultReportMessage(details), `To see it again:\n  ${again}`];
  throw new Error(report.join('\n\n'), { cause: error });
}

const anySchedule = fc.array(anyCommand, { minLength: 1, maxLength: 70, size: 'max' });

/** Runs a schedule on the model, and what that makes of it on `systems`, which must look the same after each step. */
async function follow(
  commands: Command[],
  settings: Settings,
  tally: Tally,
  compare: (reference: Reference, step: Step | undefined) => Promise<void>,
): Promise<void> {
  const reference = new Reference(settings);
  tally.schedules++;
  for (const command of commands) {
    const step = reference.resolve(command);
    if (!step) continue;
    try {
      reference.apply(step);
    } catch (error) {
      if (!(error instanceof Ambiguous)) throw error;
      tally.cut++;
      return;
    }
    await compare(reference, step);
    tally.steps++;
  }
}

/** After each step of any schedule, any pipeline looks as the rules say. */
export function likeTheModel(tally: Tally) {
  return fc.asyncProperty(anySettings, anySchedule, async (settings, commands) => {
    const real = new Real(settings);
    await follow(commands, settings, tally, async (reference, step) => {
      await real.apply(step!);
      const expected = reference.observe();
      for (const line of expected.log) {
        if (line.includes(':') || line.includes('pipeline'))
          tally.happened.add(line.replaceAll(/[\d.]+ ?/g, ''));
      }
      sameAs(real.observe(), expected, step!);
    });
  });
}

/** A call that takes the short way and one that takes the long one can't be told apart. */
export function bothWaysAlike(tally: Tally) {
  return fc.asyncProperty(shortSettings, anySchedule, async (settings, commands) => {
    const short = new Real(settings);
    const long = new Real(settings, new AbortController().signal);
    await follow(commands, settings, tally, async (reference, step) => {
      reference.observe();
      await Promise.all([short.apply(step!), long.apply(step!)]);
      sameAs(short.observe(), long.observe(), step!);
    });
  });
}

function sameAs(actual: object, expected: object, step: Step): void {
  // Most are alike as texts, which are compared in a fifth of the time.
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    throw new Error(`differs after ${JSON.stringify(step)}\n${(error as Error).message}`, { cause: error });
  }
}
