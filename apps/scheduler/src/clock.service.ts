import { inSpan } from '@cairn/telemetry';
import { latestTick, type Job } from './job.ts';
import type { RunsRepository } from './runs.repository.ts';

type Options = {
  lookMs: number;
  onRun: (job: string, tick: Date) => void;
  onError: (error: unknown) => void;
  now?: () => Date;
};

/** Looks at the clock and claims what is due. Every replica does; there is no leader to lose. */
export class ClockService {
  readonly #seen = new Map<string, number>();
  readonly #now: () => Date;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly jobs: Job[],
    private readonly runs: Pick<RunsRepository, 'claim'>,
    private readonly options: Options,
  ) {
    this.#now = options.now ?? (() => new Date());
  }

  start(): void {
    const next = () => {
      this.#looking = this.look();
      void this.#looking.then(() => {
        if (this.#timer) this.#timer = setTimeout(next, this.options.lookMs);
      });
    };
    this.#timer = setTimeout(next, 0);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  /** One look at every job. A claim that fails is tried again at the next look. */
  async look(): Promise<void> {
    for (const job of this.jobs) {
      const now = this.#now();
      const tick = latestTick(job, now);
      if (!tick || this.#seen.get(job.name) === tick.getTime()) continue;
      try {
        const claim = () => this.runs.claim(job.name, tick, now);
        const won = await inSpan('announce job', { attributes: { 'job.name': job.name } }, claim);
        this.#seen.set(job.name, tick.getTime());
        if (won) this.options.onRun(job.name, tick);
      } catch (error) {
        this.options.onError(error);
      }
    }
  }
}
