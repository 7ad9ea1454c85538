import { inSpan } from '@cairn/telemetry';
import { dueTicks, type Job } from './job.ts';
import type { RunName } from './run.ts';
import type { Look, RunsRepository } from './runs.repository.ts';

type Options = {
  /** Pause between two looks, in ms. */
  lookMs: number;
  /** How old a tick of a job with `skip` may be, in ms. */
  graceMs: number;
  /** This replica announced a run; `passedOver` is how many ticks before it nobody announced, by the job's policy. */
  onRun: (run: RunName, passedOver: number) => void;
  /** A run was announced again, or given up, as not all reports came in time. */
  onOverdue: (run: RunName, outcome: 'announced' | 'failed') => void;
  onError: (error: unknown) => void;
};

/** After a look that failed: the database is away, and five complaints a second tell no more than one. */
const AFTER_FAILURE_MS = 1000;

/**
 * Looks at the database's clock and announces what is due. Every replica does; there is no leader to lose, and what
 * a replica's own clock says decides nothing.
 */
export class ClockService {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly jobs: Job[],
    private readonly runs: Pick<RunsRepository, 'look' | 'claim' | 'overdue' | 'again'>,
    private readonly options: Options,
  ) {}

  start(): void {
    const next = () => {
      const look = this.look();
      this.#looking = look;
      void look.then((ok) => {
        const { lookMs } = this.options;
        if (this.#timer) this.#timer = setTimeout(next, ok ? lookMs : Math.max(lookMs, AFTER_FAILURE_MS));
      });
    };
    this.#timer = setTimeout(next, 0);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  /** One look at every job. False when it failed; the next one finds what this one left. */
  async look(): Promise<boolean> {
    try {
      const facts = await this.runs.look(this.jobs.map(({ name }) => name));
      for (const job of this.jobs) await this.#announce(job, facts);
      await this.#repeat(facts);
      return true;
    } catch (error) {
      this.options.onError(error);
      return false;
    }
  }

  async #announce(job: Job, { now, last: lastOf }: Look): Promise<void> {
    const { graceMs, onRun } = this.options;
    let last = lastOf.get(job.name);
    const { ticks, ...due } = dueTicks(job, { now, last, graceMs });
    let { passedOver } = due;
    for (const tick of ticks) {
      const claim = () => this.runs.claim(job, tick, { now, last });
      if (await inSpan('announce job', { attributes: { 'job.name': job.name } }, claim))
        onRun({ job: job.name, tick }, passedOver);
      last = tick;
      passedOver = 0;
    }
  }

  async #repeat({ now }: Look): Promise<void> {
    for (const run of await this.runs.overdue()) {
      const again = () => this.runs.again(run, now);
      const outcome = await inSpan('announce job again', { attributes: { 'job.name': run.job } }, again);
      if (outcome) this.options.onOverdue(run, outcome);
    }
  }
}
