import { LateError, reasonOf, within, type Clock } from './clock.ts';
import type { Finding } from './report.ts';

/**
 * Rejects when something is down, and otherwise resolves with anything: a plain object is shown in the report. The signal
 * aborts when the check's time is over.
 */
export type Check = (signal: AbortSignal) => unknown;

export type CheckOptions = {
  /** True: down makes the process unready. False: it only degrades it. Default true. */
  critical?: boolean;
  /** How long it may take, in ms. Default 1000. */
  timeoutMs?: number;
  /** For how long its answer stands, in ms; 0 asks each time. Default 1000. */
  cacheMs?: number;
};

/** How many time-outs long a check that hangs is not asked again: each one may hold a connection of a pool. */
const PATIENCE = 10;

/**
 * One check with a time-out and a brief memory, so that probes cannot become load. `Health` shares one run among all who ask at
 * the same time.
 */
export class GuardedCheck {
  readonly #check: Check;
  readonly #clock: Clock;
  readonly #critical: boolean;
  readonly #timeoutMs: number;
  readonly #cacheMs: number;
  #answer: { at: number; finding: Finding } | undefined;
  #hungSince: number | undefined;

  /** @throws RangeError for a time-out that is not above 0, or a negative cache */
  constructor(
    check: Check,
    clock: Clock,
    { critical = true, timeoutMs = 1000, cacheMs = 1000 }: CheckOptions = {},
  ) {
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`);
    if (!(cacheMs >= 0)) throw new RangeError(`cacheMs must be at least 0, got ${cacheMs}`);
    this.#check = check;
    this.#clock = clock;
    this.#critical = critical;
    this.#timeoutMs = timeoutMs;
    this.#cacheMs = cacheMs;
  }

  /** What it finds; never rejects. */
  ask(): Promise<Finding> {
    const now = this.#clock.now();
    if (this.#answer && (now - this.#answer.at < this.#cacheMs || this.#hangs(now))) {
      return Promise.resolve(this.#answer.finding);
    }
    return this.#run();
  }

  #hangs(now: number): boolean {
    return this.#hungSince !== undefined && now - this.#hungSince < PATIENCE * this.#timeoutMs;
  }

  async #run(): Promise<Finding> {
    const startedAt = this.#clock.now();
    this.#hungSince = startedAt;
    const settled = () => {
      if (this.#hungSince === startedAt) this.#hungSince = undefined;
    };
    const work = async (signal: AbortSignal) => {
      try {
        return await this.#check(signal);
      } finally {
        settled();
      }
    };
    const finding = await within(this.#clock, this.#timeoutMs, work).then(up, (error: unknown) =>
      this.#down(error),
    );
    this.#answer = { at: this.#clock.now(), finding };
    return finding;
  }

  #down(error: unknown): Finding {
    const status = this.#critical ? 'down' : 'degraded';
    const details =
      !(error instanceof LateError) && error instanceof Error && 'details' in error ? error.details : {};
    return { ...(isPlain(details) ? details : {}), message: reasonOf(error), status };
  }
}

function up(answer: unknown): Finding {
  return { ...(isPlain(answer) ? answer : {}), status: 'up' };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
