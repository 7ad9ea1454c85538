import { exponential, type Backoff, type Jitter } from '../backoff.ts';
import type { BudgetOptions } from '../budget.ts';
import type { CallContext } from '../context.ts';
import { pipeline, type Pipeline } from '../pipeline.ts';
import { seeded } from '../seeded.fixture.ts';
import { MsClock } from './ms-clock.fixture.ts';

export const CLIENTS = 1_000;
/** Of each client: 1,000 clients make 200 requests per second in all. */
const PERIOD_MS = 5_000;
const CALM_MS = 30_000;
export const OUTAGE_MS = 60_000;
/** At first the upstream accepts requests and hangs; then it falls over, and all that are in flight fail at one moment. */
const HANG_MS = PERIOD_MS;
const AFTER_MS = 60_000;
const BIN_MS = 100;
export const ATTEMPTS = 4;
/** The default (200 ms) would spread a thousand retries over two of these bins. */
export const BACKOFF = exponential({ base: '2s', max: '20s' });

export type StormSetting = {
  jitter: Jitter;
  /** Undefined: the default. */
  budget?: BudgetOptions | false | undefined;
  breaker?: boolean;
  /** Default: `BACKOFF`. */
  backoff?: Backoff;
  /** Do all clients share one pipeline, as the requests of one process do, or has each one of its own? Default false. */
  pipelinePerClient?: boolean;
  seed?: number;
};

export type Storm = {
  /** Requests made during the outage. */
  requests: number;
  /** Most retries within 100 ms that hit the upstream. */
  peakRetries: number;
  /** Attempts that hit the upstream for each request that was made during the outage. */
  attemptsPerRequest: number;
  /** Of the requests made while their circuit was not closed: the share that hit the upstream. Probes count. */
  reachedWhileOpen: number;
};

/** 1,000 clients with a request every 5 s each, and an upstream that is down for a minute. */
export async function storm(setting: StormSetting): Promise<Storm> {
  const { jitter, budget, breaker = false, backoff = BACKOFF, pipelinePerClient = false, seed = 1 } = setting;
  const clock = new MsClock();
  const random = seeded(seed);
  const retrying = pipeline({ name: 'upstream', clock, random });
  const make = (): Pipeline => {
    const made = retrying.retry({
      attempts: ATTEMPTS,
      idempotent: true,
      backoff,
      jitter,
      ...(budget !== undefined && { budget }),
    });
    return breaker ? made.breaker() : made;
  };
  const shared = make();
  const pipelines = Array.from({ length: CLIENTS }, () => (pipelinePerClient ? make() : shared));
  const isOpen = (through: Pipeline) => breaker && through.circuit.state !== 'closed';

  const [hangsAt, failsAt, endsAt] = [CALM_MS, CALM_MS + HANG_MS, CALM_MS + OUTAGE_MS];
  const fallsOver = Promise.withResolvers<void>();
  clock.setTimer(() => fallsOver.resolve(), failsAt);
  // No Error: the stacks of fifty thousand of them would take longer than all the rest.
  const down = () => Promise.reject({ code: 'ECONNREFUSED' });
  const upstream = () => {
    if (clock.now() < hangsAt || clock.now() >= endsAt) return Promise.resolve();
    return clock.now() < failsAt ? fallsOver.promise.then(down) : down();
  };

  const retries = new Map<number, number>();
  const seen = { requests: 0, attempts: 0, whileOpen: 0, reached: 0 };
  const request = (through: Pipeline) => {
    const duringOutage = clock.now() >= hangsAt && clock.now() < endsAt;
    if (duringOutage) seen.requests++;
    if (isOpen(through)) seen.whileOpen++;
    void through.outcome(({ attempt }: CallContext) => {
      if (duringOutage) seen.attempts++;
      if (isOpen(through)) seen.reached++;
      const bin = Math.floor(clock.now() / BIN_MS);
      if (attempt > 1) retries.set(bin, (retries.get(bin) ?? 0) + 1);
      return upstream();
    });
  };

  const phases = pipelines.map((through) => ({ through, at: Math.floor(random() * PERIOD_MS) }));
  phases.sort((one, other) => one.at - other.at);
  for (let period = 0; period < CALM_MS + OUTAGE_MS + AFTER_MS; period += PERIOD_MS) {
    for (const { through, at } of phases) {
      await clock.advanceTo(period + at);
      request(through);
    }
  }
  return {
    requests: seen.requests,
    peakRetries: Math.max(0, ...retries.values()),
    attemptsPerRequest: seen.attempts / seen.requests,
    reachedWhileOpen: seen.whileOpen === 0 ? 0 : seen.reached / seen.whileOpen,
  };
}
