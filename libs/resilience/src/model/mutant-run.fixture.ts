/** Runs the model, or the races, on whatever source stands beside it, and says what came of it: for mutants.spec.ts. */
import fc from 'fast-check';
import { nothingLeaks } from './races.fixture.ts';
import { likeTheModel, nothingYet } from './check.fixture.ts';

const property: fc.IAsyncProperty<unknown> =
  process.argv[4] === 'races' ? nothingLeaks() : likeTheModel(nothingYet());
const { failed, numRuns } = await fc.check(property, {
  seed: Number(process.argv[2]),
  numRuns: Number(process.argv[3]),
  // What the smallest schedule is does not matter here.
  endOnFailure: true,
});
console.log(JSON.stringify({ caught: failed, schedules: numRuns }));
