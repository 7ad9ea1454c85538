import type { BreakerSnapshot } from '../breaker.ts';
import type { CallContext, CallOptions } from '../context.ts';
import type { Outcome } from '../outcome.ts';
import type { Pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { CallPlan, Observation, Step } from './commands.fixture.ts';
import { build, type Settings } from './settings.fixture.ts';
import { describe, resultOf, type WorkResult } from './work.fixture.ts';

type Work = {
  ctx: CallContext;
  resolve: (value: string) => void;
  reject: (error: unknown) => void;
  /** The signal that is listened to. */
  heard?: AbortSignal;
};

/** The same for the real thing: pipelines made of the settings, works that end when they are told, and a log. */
export class Real {
  readonly clock: VirtualClock;
  readonly #settings: Settings;
  readonly #signalForAll: AbortSignal | undefined;
  readonly #log: string[] = [];
  readonly #told: { id: number; text: string; error: unknown; isError: boolean }[] = [];
  readonly #works = new Map<string, Work>();
  readonly #callers = new Map<number, AbortController>();
  #all = new AbortController();
  #lastError: unknown;
  #isStarting: number | undefined;
  #pipeline: Pipeline;
  #pipelines = 0;
  #snapshot = '';

  /** @param signalForAll of the calls that have no signal otherwise, which keeps them off the short way. */
  constructor(settings: Settings, signalForAll?: AbortSignal) {
    this.#settings = settings;
    this.#signalForAll = signalForAll;
    this.clock = new VirtualClock(settings.startMs);
    this.#pipeline = this.#build();
  }

  #note(text: string): void {
    this.#log.push(`${this.clock.now()} ${text}`);
  }

  #build(): Pipeline {
    const built = build(this.#settings, this.clock);
    const name = `pipeline ${this.#pipelines++}`;
    const tell = (text: string) => this.#note(`${name} ${text}`);
    built.on('stateChange', ({ from, to, reason }) => tell(`stateChange ${from} > ${to}: ${reason}`));
    built.on('rejected', ({ code }) => tell(`rejected ${code}`));
    built.on('timeout', ({ attempt, timeoutMs }) => tell(`timeout of attempt ${attempt} after ${timeoutMs}`));
    built.on('fallback', ({ status }) => tell(`fallback for ${status}`));
    built.on('settled', ({ status, attempts }) => tell(`settled ${status} after ${attempts}`));
    built.on('retry', ({ attempt, delayMs, error }) =>
      tell(`retry in ${delayMs}: attempt ${attempt}, ${describe(error)}`),
    );
    built.on('retryDenied', ({ attempt, reason, error }) =>
      tell(`retryDenied ${reason}: attempt ${attempt}, ${describe(error)}`),
    );
    return built;
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'call':
        this.#isStarting = step.id;
        this.#call(step.id, step.plan);
        this.#isStarting = undefined;
        break;
      case 'settle':
        this.#settle(step.key, step.result);
        break;
      case 'cancel':
        this.#callers.get(step.id)!.abort(`caller ${step.id}`);
        break;
      case 'cancel and settle':
        if (step.settleFirst) this.#settle(step.key, step.result);
        this.#callers.get(step.id)!.abort(`caller ${step.id}`);
        if (!step.settleFirst) this.#settle(step.key, step.result);
        break;
      case 'cancel all':
        this.#all.abort('all callers');
        this.#all = new AbortController();
        break;
      case 'advance':
        return this.clock.advance(step.ms);
      case 'block':
        this.clock.step(step.ms);
        return this.clock.advance(0);
      case 'isolate':
        this.#pipeline.circuit.isolate();
        break;
      case 'release':
        this.#pipeline.circuit.release();
        break;
      case 'snapshot':
        this.#snapshot = JSON.stringify(this.#pipeline.circuit.snapshot());
        break;
      case 'restore':
        if (step.fresh) this.#pipeline = this.#build();
        this.#pipeline.circuit.restore(JSON.parse(this.#snapshot) as BreakerSnapshot);
    }
    return this.clock.settle();
  }

  #call(id: number, plan: CallPlan): void {
    const work = (ctx: CallContext) => this.#work(`${id}.${ctx.attempt}`, ctx, plan);
    const options = this.#optionsOf(id, plan);
    const tell = (how: string, what: unknown, isError: boolean) =>
      this.#told.push({
        id,
        text: `${this.clock.now()} call ${id} ${how} ${describe(what)}`,
        error: what,
        isError,
      });
    if (plan.asOutcome) {
      const told = (outcome: Outcome<string>) =>
        outcome.status === 'ok'
          ? tell('ok', outcome.value, false)
          : tell(outcome.status, outcome.error, true);
      this.#pipeline
        .outcome(work, options)
        .then(told, (error: unknown) => tell('must not throw', error, true));
    } else {
      this.#pipeline.execute(work, options).then(
        (value) => tell('returns', value, false),
        (error: unknown) => tell('throws', error, true),
      );
    }
  }

  #optionsOf(id: number, { signal, deadlineInMs, idempotent }: CallPlan): CallOptions {
    const own = new AbortController();
    this.#callers.set(id, own);
    const signals = {
      own: own.signal,
      shared: this.#all.signal,
      aborted: AbortSignal.abort('a caller before'),
      none: this.#signalForAll,
    };
    return {
      signal: signals[signal],
      deadlineAt: deadlineInMs === undefined ? undefined : this.clock.now() + deadlineInMs,
      idempotent: idempotent === 'says so',
      idempotencyKey: idempotent === 'has a key' ? `key ${id}` : undefined,
    };
  }

  /** What the pipeline calls. */
  #work(
    key: string,
    ctx: CallContext,
    { readsSignal, heedsSignal, atOnce }: CallPlan,
  ): Promise<string> | string {
    const { remainingMs, deadlineAt = Infinity, idempotent, idempotencyKey } = ctx;
    const identity = idempotencyKey !== undefined ? 'has a key' : idempotent ? 'says so' : 'no';
    this.#note(`work ${key}: ${remainingMs} ms left until ${deadlineAt}, ${identity}`);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const work = { ctx, resolve, reject };
    this.#works.set(key, work);
    if (readsSignal) this.#listen(key, work, heedsSignal);
    if (atOnce && key.startsWith(`${this.#isStarting}.`)) {
      const result = resultOf(atOnce, key, this.#lastError);
      if ('value' in result) return result.value;
      throw result.error;
    }
    return promise;
  }

  #listen(key: string, work: Work, heedsSignal = false): void {
    const { signal } = work.ctx;
    if (work.heard !== undefined || signal.aborted) return;
    work.heard = signal;
    signal.addEventListener('abort', () => {
      this.#note(`signal of ${key} aborted: ${describe(signal.reason)}`);
      if (heedsSignal) work.reject(signal.reason);
    });
  }

  #settle(key: string, kind: WorkResult): void {
    const work = this.#works.get(key)!;
    this.#listen(key, work);
    this.#note(`${key} ends with ${kind}, ${work.ctx.signal.aborted ? 'aborted' : 'wanted'}`);
    const result = resultOf(kind, key, this.#lastError);
    if ('value' in result) work.resolve(result.value);
    else work.reject(result.error);
  }

  observe(): Observation {
    const told = this.#told.splice(0).toSorted((a, b) => a.id - b.id);
    const last = told.findLast(({ isError }) => isError);
    if (last) this.#lastError = last.error;
    const circuit = this.#settings.breaker && this.#pipeline.circuit;
    return {
      log: this.#log.splice(0),
      settled: told.map(({ text }) => text),
      state: circuit?.state,
      retryAfterMs: circuit?.retryAfterMs,
      counts: this.#pipeline.counts(),
    };
  }
}
