import { Worker } from 'node:worker_threads';
import type { Done, Job } from './worker.ts';

/** Threads that take one job after the other. */
export class Crew {
  readonly #workers: Worker[];

  constructor(code: string, threads: number) {
    this.#workers = Array.from(
      { length: threads },
      () => new Worker(new URL('worker.ts', import.meta.url), { workerData: { code } }),
    );
  }

  /** Resolves with what came of the jobs, in their order. */
  async run(jobs: Job[], onDone: (done: Done) => void = () => {}): Promise<Done[]> {
    const results: Done[] = [];
    let next = 0;
    const takeAll = async (worker: Worker) => {
      while (next < jobs.length) {
        const place = next++;
        onDone((results[place] = await ask(worker, jobs[place]!)));
      }
    };
    await Promise.all(this.#workers.map(takeAll));
    return results;
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, job: Job): Promise<Done> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (done: Done) => {
      worker.off('error', reject);
      resolve(done);
    });
    worker.postMessage(job);
  });
}
