import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { BUGS, type Bug } from './bugs.ts';
import type { Run, simulate as Simulate } from './simulate.ts';

/** Seeds to run, all of them or until the bug is caught. */
export type Job = { seeds: number[]; bug?: Bug; untilCaught?: boolean; keep?: number };

export type Done = {
  job: Job;
  runs: Omit<Run, 'tail'>[];
  /** The first that violated something, or has caught the bug; with the end of its trace. */
  caught?: Run;
};

const { code } = workerData as { code: string };
const require = createRequire(import.meta.url);
const modules = compileFunction(code, ['module', 'exports', 'require'], { filename: 'simulate.cjs' }) as (
  module: object,
  exports: object,
  require: NodeJS.Require,
) => void;

/** Every module anew: libraries keep timers and numbers for the whole process, and a seed must not see another's. */
function freshSimulate(): typeof Simulate {
  const module = { exports: {} as { simulate: typeof Simulate } };
  modules(module, module.exports, require);
  return module.exports.simulate;
}

// One thread of the simulation: a job in, what came of it out.
parentPort!.on('message', (job: Job) => void work(job).then((done) => parentPort!.postMessage(done)));

async function work(job: Job): Promise<Done> {
  const { bug, keep } = job;
  const done: Done = { job, runs: [] };
  for (const seed of job.seeds) {
    const run = await freshSimulate()(seed, { ...(bug && { bug }), ...(keep && { keep }) });
    const { tail: _, ...rest } = run;
    done.runs.push(rest);
    const caught = job.untilCaught ? await isCaught(run, bug!) : run.violations.length > 0 || keep;
    if (caught) done.caught ??= run;
    if (done.caught && job.untilCaught) break;
  }
  return done;
}

/** By what the bug leads to, whatever else it broke; and the seed must be clean without it, or it would show nothing. */
async function isCaught({ seed, violations }: Run, bug: Bug): Promise<boolean> {
  if (!violations.some((line) => line.startsWith(`${BUGS[bug].leadsTo}: `))) return false;
  const without = await freshSimulate()(seed);
  return without.violations.length === 0;
}
