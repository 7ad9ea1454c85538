import type { AdaptiveBulkhead } from './adaptive.ts';
import type { BreakerHandle, BreakerOptions } from './breaker.ts';
import type { BulkheadOptions } from './bulkhead.ts';
import { Attempt } from './attempt.ts';
import { Call } from './call.ts';
import type { Chaos } from './chaos.ts';
import { check } from './check.ts';
import { DirectCall } from './direct.ts';
import { conclude, settle } from './conclude.ts';
import type { CallContext, CallOptions, Work } from './context.ts';
import type { Counts } from './counts.ts';
import type { Duration } from './duration.ts';
import type { Listener, ResilienceEvent } from './events.ts';
import { copyOptions, copyWithBudget } from './known-options.ts';
import type { Machine } from './machine.ts';
import type { Failure, Outcome } from './outcome.ts';
import {
  compile,
  ORDER,
  type HedgeOptions,
  type PipelineOptions,
  type RetryOptions,
  type Steps,
} from './plan.ts';
import type { RateLimitOptions } from './rate-limit.ts';
import { SOLO, SOLO_OUTCOME } from './solo.ts';

const NO_OPTIONS: CallOptions = Object.freeze({});

/**
 * What stands between this process and one dependency. Steps are added by name, each gives a new pipeline with a state of
 * its own; they apply from the outside in, in the order of the methods below, which is also the order to name them in.
 *
 * @typeParam F what its fallback answers
 */
export class Pipeline<F = never> {
  readonly #options: PipelineOptions;
  readonly #steps: Steps;
  readonly #machine: Machine;

  /** @internal Use `pipeline()`. */
  constructor(options: PipelineOptions, steps: Steps) {
    this.#options = options;
    this.#steps = steps;
    this.#machine = compile(options, steps);
  }

  get name(): string {
    return this.#machine.name;
  }

  /** Answers in place of a call that failed or was rejected; not of one that was ignored or cancelled. */
  fallback<G>(answer: (failure: Failure) => G | PromiseLike<G>): Pipeline<G> {
    return this.#with('fallback', answer);
  }

  /** Ends the whole call, attempts and waits together, with `DeadlineExceededError`. */
  deadline(deadline: Duration): Pipeline<F> {
    return this.#with('deadline', deadline);
  }

  /** Makes a call again after a failure, if it is idempotent. */
  retry(options: RetryOptions): Pipeline<F> {
    return this.#with('retry', copyWithBudget('retry', options));
  }

  /** Makes a call a second time while the first is still out, if it is idempotent; the first value wins. */
  hedge(options: HedgeOptions): Pipeline<F> {
    return this.#with('hedge', copyWithBudget('hedge', options));
  }

  /** Stops calling what keeps failing. */
  breaker(options: BreakerOptions = {}): Pipeline<F> {
    const copy = copyOptions('breaker', options);
    if (copy.halfOpen) copy.halfOpen = copyOptions('breaker.halfOpen', copy.halfOpen);
    return this.#with('breaker', copy);
  }

  /** Bounds the calls at a time. */
  bulkhead(options: BulkheadOptions | AdaptiveBulkhead): Pipeline<F> {
    return this.#with('bulkhead', copyOptions('kind' in options ? 'adaptive bulkhead' : 'bulkhead', options));
  }

  /** Bounds the calls per time. */
  rateLimit(options: RateLimitOptions): Pipeline<F> {
    return this.#with('rateLimit', copyOptions('rateLimit', options));
  }

  /** Ends one attempt with `TimeoutError`. */
  timeout(timeout: Duration): Pipeline<F> {
    return this.#with('timeout', timeout);
  }

  #with<S extends keyof Steps, G = F>(step: S, options: Steps[S]): Pipeline<G> {
    const given = ORDER.filter((other) => this.#steps[other] !== undefined);
    const last = given.at(-1);
    const inPlace = last === undefined || ORDER.indexOf(step) > ORDER.indexOf(last);
    if (!inPlace) {
      const rule = `a pipeline has each step once, outermost first: ${ORDER.join(', ')}`;
      throw new RangeError(`.${step}() can't come after .${last}(): ${rule}`);
    }
    return new Pipeline<G>(this.#options, { ...this.#steps, [step]: options });
  }

  /**
   * Makes the call.
   * @throws what the work threw, or one of this library's errors, see `ResilienceError`
   */
  execute<T>(work: Work<T>, options: CallOptions = NO_OPTIONS): Promise<T | F> {
    return this.#run(work, options, false) as Promise<T | F>;
  }

  /** Makes the call, and tells how it ended as a value. Never rejects. */
  outcome<T>(work: Work<T>, options: CallOptions = NO_OPTIONS): Promise<Outcome<T | F>> {
    return this.#run(work, options, true) as Promise<Outcome<T | F>>;
  }

  /** The same function, behind this pipeline. */
  wrap<A extends unknown[], T>(
    work: (ctx: CallContext, ...args: A) => T | PromiseLike<T>,
  ): (...args: A) => Promise<T | F> {
    return (...args) => this.execute((ctx) => work(ctx, ...args));
  }

  #run(work: Work<unknown>, options: CallOptions, asOutcome: boolean): Promise<unknown> {
    const machine = this.#machine;
    const { breaker, bulkhead } = machine;
    const { signal, deadlineAt } = options;
    machine.counts.calls++;
    // The common answer under an outage: given without a call being set up first.
    if (breaker !== null && !breaker.closed && breaker.refuses && (signal === undefined || !signal.aborted)) {
      return refuse(machine, asOutcome);
    }
    if (!machine.solo || signal !== undefined || deadlineAt !== undefined) {
      return new Call(machine, work, options, asOutcome).begin();
    }
    const owner = asOutcome ? SOLO_OUTCOME : SOLO;
    if (machine.retry !== null && machine.retry.budget !== null) machine.retry.budget.deposit();
    if (
      machine.direct &&
      !machine.chaos.active &&
      (breaker === null || breaker.closed || breaker.tryEnter())
    ) {
      if (bulkhead === null || bulkhead.tryAcquire()) {
        return new DirectCall(machine, work, options, owner).start();
      }
      if (breaker !== null) breaker.giveBack(breaker.era);
    }
    return new Attempt(machine, work, options, owner, 1).start();
  }

  /** Its circuit breaker. @throws TypeError when it has none */
  get circuit(): BreakerHandle {
    const { breaker, name } = this.#machine;
    if (breaker === null) throw new TypeError(`pipeline "${name}" has no breaker`);
    return breaker;
  }

  /** Faults to try it with; off until they are set. */
  get chaos(): Chaos {
    return this.#machine.chaos;
  }

  counts(): Counts {
    const { counts, events, bulkhead } = this.#machine;
    return {
      ...counts,
      rejections: { ...counts.rejections },
      retriesDenied: { ...counts.retriesDenied },
      listenerErrors: events.errors,
      queued: bulkhead?.queued ?? 0,
    };
  }

  /** Listens to an event; the function that comes back ends that. What a listener throws changes nothing. */
  on<E extends ResilienceEvent>(event: E, listener: Listener<E>): () => void {
    return this.#machine.events.on(event, listener);
  }
}

function refuse(machine: Machine, asOutcome: boolean): Promise<unknown> {
  const { name, counts, events } = machine;
  counts.rejections.circuit_open++;
  if (events.heard.rejected) events.emit('rejected', { pipeline: name, code: 'circuit_open' });
  settle(machine, 'rejected', 0);
  const { fallback, circuitOpen, circuitOpenOutcome, circuitOpenRejection } = machine;
  if (fallback === null) return asOutcome ? circuitOpenOutcome : Promise.resolve(circuitOpenRejection);
  try {
    return Promise.resolve(conclude(machine, circuitOpen, asOutcome));
  } catch (error) {
    // The fallback threw.
    return Promise.reject(error);
  }
}

/**
 * A pipeline without a step yet.
 *
 * @throws RangeError when the name is empty, or an option is none
 */
export function pipeline(options: string | PipelineOptions): Pipeline {
  const copy = typeof options === 'string' ? { name: options } : copyOptions('pipeline', options);
  check(typeof copy.name === 'string' && copy.name !== '', 'name', 'the name of a dependency', copy.name);
  return new Pipeline(copy, {});
}
