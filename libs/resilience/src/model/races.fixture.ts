import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { adaptive } from '../adaptive.ts';
import { constant } from '../backoff.ts';
import type { CallContext } from '../context.ts';
import type { Outcome } from '../outcome.ts';
import { pipeline, type Pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { consecutive, time } from '../window.ts';
import { isFailure, isFailureResult, resultOf, anyResult, type WorkResult } from './work.fixture.ts';

/**
 * What no model predicts: stimuli any number of microtasks apart, waits that end at one time, clocks that step either
 * way, parallel attempts, rate limits. Whatever comes of it, nothing may leak, and no limit may be passed.
 */
type RaceSettings = {
  deadlineMs: number | undefined;
  retries: boolean;
  hedgeAfterMs: number | undefined;
  breaker: { kind: 'consecutive' | 'time'; probes: number } | undefined;
  bulkhead:
    { max: number; queue: number; queueTimeoutMs: number | undefined; isAdaptive: boolean } | undefined;
  rateLimitMs: number | undefined;
  timeoutMs: number | undefined;
};

type Stimulus = { turns: number } & (
  | {
      do: 'call';
      cancellable: boolean;
      readsSignal: boolean;
      atOnce: WorkResult | undefined;
      deadlineInMs: number;
    }
  | { do: 'settle'; pick: number; result: WorkResult }
  | { do: 'cancel'; pick: number }
  | { do: 'advance' | 'step'; ms: number }
  | { do: 'isolate' | 'release' }
);

const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
/** All waits are as long, so that they often end at once. */
const wait = fc.constantFrom(100, 200);

const anyRaceSettings: fc.Arbitrary<RaceSettings> = fc.record({
  deadlineMs: perhaps(wait),
  retries: fc.boolean(),
  hedgeAfterMs: perhaps(fc.constant(100)),
  breaker: perhaps(
    fc.record({
      kind: fc.constantFrom('consecutive' as const, 'time' as const),
      probes: fc.integer({ min: 1, max: 3 }),
    }),
  ),
  bulkhead: perhaps(
    fc.record({
      max: fc.integer({ min: 1, max: 3 }),
      queue: fc.integer({ min: 0, max: 3 }),
      queueTimeoutMs: perhaps(wait),
      isAdaptive: fc.boolean(),
    }),
  ),
  rateLimitMs: perhaps(fc.constant(50)),
  timeoutMs: perhaps(wait),
});

const pick = fc.nat({ max: 7 });
const one = <K extends string>(kind: K) => fc.constant(kind);
const turns = fc.oneof(fc.nat({ max: 6 }), fc.constant(Infinity));

const anyStimulus: fc.Arbitrary<Stimulus> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ turns, do: one('call'), cancellable: fc.boolean(), readsSignal: fc.boolean() },
      atOnce: fc.option(anyResult, { nil: undefined, freq: 4 }),
      deadlineInMs: fc.constantFrom(Infinity, Infinity, Infinity, 100, 0),
    }),
  },
  { weight: 8, arbitrary: fc.record({ turns, do: one('settle'), pick, result: anyResult }) },
  { weight: 4, arbitrary: fc.record({ turns, do: one('cancel'), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({ turns, do: one('advance'), ms: fc.constantFrom(0, 50, 100, 200, 1_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ turns, do: one('step'), ms: fc.constantFrom(-40, -10, -1, 100, 500) }),
  },
  { weight: 1, arbitrary: fc.record({ turns, do: fc.constantFrom('isolate' as const, 'release' as const) }) },
);

const HALF_OPEN_MS = 300;

function build(settings: RaceSettings, clock: VirtualClock): Pipeline {
  const { deadlineMs, retries, hedgeAfterMs, breaker, bulkhead, rateLimitMs, timeoutMs } = settings;
  let built = pipeline({ name: 'it', clock, random: () => 0.5, isFailure, isFailureResult });
  if (deadlineMs !== undefined) built = built.deadline(deadlineMs);
  if (retries) built = built.retry({ attempts: 3, idempotent: true, backoff: constant(100) });
  if (hedgeAfterMs !== undefined) built = built.hedge({ after: hedgeAfterMs, max: 2, idempotent: true });
  if (breaker) {
    built = built.breaker({
      window: breaker.kind === 'time' ? time(1_000) : consecutive(2),
      ...(breaker.kind === 'time' && { minCalls: 2 }),
      openFor: 100,
      halfOpen: { calls: breaker.probes, successes: breaker.probes, maxWait: HALF_OPEN_MS },
    });
  }
  if (bulkhead) {
    const { max, queue, queueTimeoutMs, isAdaptive } = bulkhead;
    const options = { max, queue, ...(queueTimeoutMs !== undefined && { queueTimeout: queueTimeoutMs }) };
    built = built.bulkhead(isAdaptive ? adaptive({ ...options, min: max, initial: max }) : options);
  }
  if (rateLimitMs !== undefined)
    built = built.rateLimit({ limit: 1, per: rateLimitMs, burst: 3, maxWait: 200 });
  return timeoutMs === undefined ? built : built.timeout(timeoutMs);
}

type Work = {
  call: number;
  ctx: CallContext;
  resolve: (value: string) => void;
  reject: (error: unknown) => void;
  isDone: boolean;
  won: boolean;
  signal: AbortSignal | undefined;
};

/** Whatever happens in whatever order, nothing leaks and no limit is passed. */
export function nothingLeaks() {
  const anyRace = fc.array(anyStimulus, { minLength: 1, maxLength: 60, size: 'max' });
  return fc.asyncProperty(anyRaceSettings, anyRace, async (settings, stimuli) => {
    const race = new Race(settings);
    for (const stimulus of stimuli) await race.apply(stimulus);
    await race.end();
  });
}

class Race {
  readonly #clock = new VirtualClock(1_000);
  readonly #settings: RaceSettings;
  readonly #pipeline: Pipeline;
  readonly #works = new Map<string, Work>();
  readonly #callers: AbortController[] = [];
  readonly #wrong: string[] = [];
  #steppedMs = 0;
  #calls = 0;
  readonly #told = new Set<number>();
  #settledEvents = 0;
  #state = 'closed';

  constructor(settings: RaceSettings) {
    this.#settings = settings;
    this.#pipeline = build(settings, this.#clock);
    this.#pipeline.on('settled', () => void this.#settledEvents++);
    this.#pipeline.on('stateChange', ({ from, to }) => {
      this.#must(from === this.#state, `${from} was ${this.#state}`);
      this.#state = to;
    });
    // Not one of them may change anything.
    for (const event of ['settled', 'stateChange', 'retry', 'hedge', 'timeout', 'rejected'] as const) {
      this.#pipeline.on(event, () => {
        throw new Error('a bad listener');
      });
    }
  }

  /** Here and now, an error would be taken for one of the work or of the listener. */
  #must(isSo: boolean, what: string): void {
    if (!isSo) this.#wrong.push(what);
  }

  get #open(): Work[] {
    return [...this.#works.values()].filter(({ isDone }) => !isDone);
  }

  async apply(stimulus: Stimulus): Promise<void> {
    const { turns } = stimulus;
    if (stimulus.do === 'call') this.#call(stimulus);
    else if (stimulus.do === 'settle') this.#settle(this.#open[stimulus.pick], stimulus.result);
    else if (stimulus.do === 'cancel') this.#callers[stimulus.pick % this.#callers.length]?.abort('gone');
    else if (stimulus.do === 'advance') await this.#clock.advance(stimulus.ms);
    else if (stimulus.do === 'step') {
      this.#clock.step(stimulus.ms);
      this.#steppedMs += Math.abs(stimulus.ms);
    } else if (this.#settings.breaker) this.#pipeline.circuit[stimulus.do]();
    if (turns === Infinity) await this.#clock.settle();
    else for (let turn = 0; turn < turns; turn++) await null;
    if (turns === Infinity) this.#check();
  }

  #call({ cancellable, readsSignal, atOnce, deadlineInMs }: Extract<Stimulus, { do: 'call' }>): void {
    const id = this.#calls++;
    const caller = new AbortController();
    if (cancellable) this.#callers.push(caller);
    const work = (ctx: CallContext) => {
      this.#must(!cancellable || !caller.signal.aborted, `call ${id} went on after its cancel`);
      return this.#work(id, ctx, readsSignal, atOnce);
    };
    const options = {
      signal: cancellable ? caller.signal : undefined,
      deadlineAt: deadlineInMs === Infinity ? undefined : this.#clock.now() + deadlineInMs,
    };
    const told = (outcome: Outcome<string>) => {
      this.#told.add(id);
      if (outcome.status !== 'ok') return;
      const winner = this.#works.get(outcome.value.split(' ')[1]!)!;
      winner.won = true;
      winner.signal ??= winner.ctx.signal;
    };
    this.#pipeline
      .outcome(work, options)
      .then(told, (error: unknown) => this.#must(false, `threw ${String(error)}`));
  }

  #work(
    call: number,
    ctx: CallContext,
    readsSignal: boolean,
    atOnce: WorkResult | undefined,
  ): Promise<string> | string {
    const key = `${call}.${ctx.attempt}`;
    this.#must(
      this.#state === 'closed' || this.#state === 'half_open',
      `a call went through while ${this.#state}`,
    );
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const signal = readsSignal ? ctx.signal : undefined;
    const work: Work = { call, ctx, resolve, reject, isDone: false, won: false, signal };
    this.#must(!this.#works.has(key), `attempt ${key} was made twice`);
    this.#works.set(key, work);
    const startedMs = this.#clock.now();
    signal?.addEventListener('abort', () => this.#checkTime(signal, startedMs));
    this.#checkLimit();
    if (atOnce) this.#settle(work, atOnce, key);
    return promise;
  }

  #checkTime({ reason }: AbortSignal, startedMs: number): void {
    if ((reason as { code?: string }).code !== 'timeout') return;
    const lateMs = this.#clock.now() - startedMs - this.#settings.timeoutMs!;
    this.#must(lateMs >= 0, `a time-out came ${-lateMs} ms early`);
    this.#must(
      lateMs <= this.#steppedMs + 1,
      `a time-out came ${lateMs} ms late, with ${this.#steppedMs} ms of steps`,
    );
  }

  #checkLimit(): void {
    const { bulkhead } = this.#settings;
    if (bulkhead && !bulkhead.isAdaptive) this.#must(this.#open.length <= bulkhead.max, 'more run than may');
  }

  #settle(work: Work | undefined, result: WorkResult, key = this.#keyOf(work)): void {
    if (!work) return;
    work.isDone = true;
    const end = resultOf(result, key, undefined);
    if ('value' in end) work.resolve(end.value);
    else work.reject(end.error);
  }

  #keyOf(work: Work | undefined): string {
    return [...this.#works].find(([, other]) => other === work)?.[0] ?? '';
  }

  /** Once nothing is on its way. */
  #check(): void {
    for (const { call, signal, isDone } of this.#works.values()) {
      const isLost = !isDone && signal !== undefined && this.#told.has(call);
      if (isLost) this.#must(signal.aborted, `a work of call ${call} was not told that it is over`);
    }
    deepStrictEqual(this.#wrong, []);
    const { running, queued, abandoned, calls } = this.#pipeline.counts();
    deepStrictEqual(running, this.#open.length);
    this.#must(abandoned >= 0 && abandoned <= running, `${abandoned} abandoned of ${running}`);
    this.#must(queued >= 0 && queued <= (this.#settings.bulkhead?.queue ?? 0), `${queued} queued`);
    deepStrictEqual(calls, this.#calls);
    deepStrictEqual(this.#settledEvents, this.#told.size);
  }

  /** All works end and all time passes: then all is as it was in the beginning. */
  async end(): Promise<void> {
    for (let round = 0; round < 30 && (this.#told.size < this.#calls || this.#open.length > 0); round++) {
      for (const work of this.#open) this.#settle(work, 'value');
      await this.#clock.advance(100);
    }
    this.#check();
    const counts = this.#pipeline.counts();
    const { ok: good, failed, ignored, cancelled, rejected, running, queued, abandoned } = counts;
    deepStrictEqual(this.#told.size, this.#calls, 'a call has not settled');
    deepStrictEqual(good + failed + ignored + cancelled + rejected, this.#calls);
    deepStrictEqual({ running, queued, abandoned }, { running: 0, queued: 0, abandoned: 0 });
    await this.#checkPermits();
    for (const caller of this.#callers) caller.abort('after the end');
    for (const { signal, won } of this.#works.values())
      this.#must(!won || !signal?.aborted, 'aborted after a success');
    this.#check();
  }

  /** Each permit is there, and none more. */
  async #checkPermits(): Promise<void> {
    const { bulkhead, breaker, rateLimitMs } = this.#settings;
    if (!bulkhead || bulkhead.isAdaptive || rateLimitMs !== undefined) return;
    if (breaker) this.#pipeline.circuit.release();
    const plan = { turns: 0, do: 'call', cancellable: false, readsSignal: false, atOnce: undefined } as const;
    for (let i = 0; i <= bulkhead.max; i++) this.#call({ ...plan, deadlineInMs: Infinity });
    deepStrictEqual(this.#open.length, bulkhead.max, 'permits are lost');
    await this.#clock.settle();
    deepStrictEqual(this.#open.length, bulkhead.max);
  }
}
