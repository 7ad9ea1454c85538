import { parentPort } from 'node:worker_threads';
import type { Bug } from './bugs.ts';
import { simulate, type Run } from './simulate.ts';

/** Seeds to run, and when to end: at the first that violates something, or after all. */
export type Job = { seeds: number[]; bug?: Bug; untilCaught?: boolean; keep?: number };

export type Done = {
  job: Job;
  runs: Omit<Run, 'tail'>[];
  /** The first that violated something, with the end of its trace. */
  caught?: Run;
};

// One thread of the simulation: a job in, what came of it out.
parentPort!.on('message', (job: Job) => void work(job).then((done) => parentPort!.postMessage(done)));

async function work(job: Job): Promise<Done> {
  const { bug, keep } = job;
  const done: Done = { job, runs: [] };
  for (const seed of job.seeds) {
    const run = await simulate(seed, { ...(bug && { bug }), ...(keep && { keep }) });
    const { tail: _, ...rest } = run;
    done.runs.push(rest);
    if (run.violations.length > 0 || keep) done.caught ??= run;
    if (done.caught && job.untilCaught) break;
  }
  return done;
}
