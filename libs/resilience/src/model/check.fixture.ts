import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { anyCommand, type Command, type Step } from './commands.fixture.ts';
import { Real } from './real.fixture.ts';
import { Ambiguous } from './reference-time.fixture.ts';
import { Reference } from './reference.fixture.ts';
import { anySettings, shortSettings, type Settings } from './settings.fixture.ts';

/** How much was checked. */
export type Tally = { schedules: number; steps: number; cut: number };

export const nothingYet = (): Tally => ({ schedules: 0, steps: 0, cut: 0 });

const anySchedule = fc.array(anyCommand, { minLength: 1, maxLength: 50, size: 'max' });

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
