/** Runs the model on whatever source stands beside it, and says what came of it: for mutants.spec.ts. */
import fc from 'fast-check';
import { likeTheModel, nothingYet } from './check.fixture.ts';

const { failed, numRuns, seed } = await fc.check(likeTheModel(nothingYet()), {
  seed: Number(process.argv[2]),
  numRuns: Number(process.argv[3]),
  // What the smallest schedule is does not matter here.
  endOnFailure: true,
});
console.log(JSON.stringify({ caught: failed, schedules: numRuns, seed }));
