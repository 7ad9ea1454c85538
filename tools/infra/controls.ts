import type { Check, Control, Say } from './check.ts';
import { breakFile, copyFiles } from './copy.ts';
import { scratch } from './scratch.ts';

export type Controlled = { does: string; ok: boolean; said: string };

/**
 * Runs a check on a copy of the files in which one thing at a time is wrong. Each has to give a problem that matches what is
 * expected, and that is not there while nothing is wrong.
 */
export async function runControls(check: Check, root: string, progress: Say): Promise<Controlled[]> {
  const copy = scratch(`controls-${check.name}`);
  await copyFiles(root, copy);
  const before = new Set((await check.run(copy, progress)).problems);
  const results: Controlled[] = [];
  for (const control of check.controls) {
    const problems = await problemsWith(control, check, copy, progress);
    const fresh = problems.filter((problem) => !before.has(problem));
    const told = fresh.find((problem) => control.expects.test(problem));
    const said =
      told ?? `expected ${control.expects}, got ${fresh.length ? fresh.join(' | ') : 'no problem'}`;
    results.push({ does: control.does, ok: told !== undefined, said });
  }
  return results;
}

/** What is so wrong that the check can't be made is a problem, too. So is a control that has nothing to change any more. */
async function problemsWith(control: Control, check: Check, copy: string, progress: Say): Promise<string[]> {
  let mend = () => {};
  try {
    mend = breakFile(copy, control);
    return (await check.run(copy, progress)).problems;
  } catch (error) {
    return [(error as Error).message];
  } finally {
    mend();
  }
}
