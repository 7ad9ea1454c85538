import type { QueueEntry, Waiting } from './bulkhead.ts';
import { isIdempotent, type CallContext, type CallOptions, type Work } from './context.ts';
import { Expiring } from './deadlines.ts';
import { BulkheadFullError, QueueTimeoutError, RateLimitedError, TimeoutError } from './errors.ts';
import { gate, later, nothing, rejectNew, resolveNew, type Settle } from './gate.ts';
import { begin, classify, learn, learnFrom, release } from './judge.ts';
import type { Machine } from './machine.ts';
import { FailedResult, Rejected, verdict, type Unsuccessful } from './outcome.ts';
import { REFUSED } from './rate-limit.ts';

/** Whoever asked for an attempt: the call itself, or a round of parallel attempts. What it answers is the result. */
export interface AttemptOwner {
  /** In ms of the clock; Infinity without a deadline. */
  readonly deadlineAt: number;
  /** Has the caller given up? */
  readonly cancelled: boolean;
  succeeded(attempt: Attempt, value: unknown): unknown;
  ended(attempt: Attempt, result: Unsuccessful): unknown;
}

/**
 * One attempt on its way through breaker, bulkhead, rate limit and time-out, in one object, which is also the context
 * that the work sees. What may be ended early waits at a gate: a promise that the work, the clock and the caller race to
 * settle. All that follows is a continuation of that promise, so it runs in the caller's async context, whoever settled it.
 */
export class Attempt extends Expiring implements CallContext, Waiting {
  declare readonly machine: Machine;
  declare readonly work: Work<unknown>;
  declare readonly options: CallOptions;
  declare readonly attempt: number;
  declare private readonly owner: AttemptOwner;
  /** Why it is to end before it has settled by itself, and what its gate is rejected with. */
  declare private interruption: Unsuccessful | null;
  declare private abandoned: boolean;
  declare private controller: AbortController | null;
  declare private resolve: Settle;
  declare private reject: Settle;
  /** What it waits for before it may begin: a place in the queue, or its turn in the rate limit. */
  declare private wait: QueueEntry | RateWait | null;
  declare private holdsPermit: boolean;
  /** The breaker's era that let it in. */
  declare private era: number;

  constructor(
    machine: Machine,
    work: Work<unknown>,
    options: CallOptions,
    owner: AttemptOwner,
    attempt: number,
  ) {
    super();
    this.machine = machine;
    this.work = work;
    this.options = options;
    this.attempt = attempt;
    this.owner = owner;
    this.interruption = null;
    this.abandoned = false;
    this.controller = null;
    this.resolve = nothing;
    this.reject = nothing;
    this.wait = null;
    this.holdsPermit = false;
    this.era = -1;
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.abandoned && !this.controller.signal.aborted) this.controller.abort(this.interruption!.error);
    return this.controller.signal;
  }

  get deadlineAt(): number | undefined {
    return this.owner.deadlineAt === Infinity ? undefined : this.owner.deadlineAt;
  }

  get remainingMs(): number {
    if (this.abandoned) return 0;
    return Math.max(0, Math.min(this.dueMs, this.owner.deadlineAt) - this.machine.clock.now());
  }

  get idempotencyKey(): string | undefined {
    return this.options.idempotencyKey;
  }

  get idempotent(): boolean {
    return isIdempotent(this.options);
  }

  start(): Promise<unknown> {
    const { name, breaker, bulkhead, circuitOpen, clock } = this.machine;
    if (breaker !== null) {
      if (!breaker.tryEnter()) return this.refuse(circuitOpen);
      this.era = breaker.era;
    }
    if (bulkhead === null) return this.paced();
    if (bulkhead.tryAcquire()) {
      this.holdsPermit = true;
      return this.paced();
    }
    const entry = bulkhead.enqueue(this);
    if (entry === null) {
      const { max, queueMax } = bulkhead;
      return this.refuse(new Rejected('bulkhead_full', () => new BulkheadFullError(name, max, queueMax)));
    }
    if (bulkhead.queueTimeout !== null) bulkhead.queueTimeout.add(this, clock.now());
    return this.waitFor(entry, () => this.paced());
  }

  /** The bulkhead has given its place in the queue a permit. */
  granted(): void {
    this.holdsPermit = true;
    this.goOn();
  }

  /** The time in the queue, or the time of the work, is up. */
  override expire(): void {
    const { name, bulkhead, timeout } = this.machine;
    if (this.wait !== null) {
      const timeoutMs = bulkhead!.queueTimeout!.durationMs;
      this.interrupt(new Rejected('queue_timeout', () => new QueueTimeoutError(name, timeoutMs)));
      return;
    }
    this.interrupt({ status: 'failed', error: new TimeoutError(name, timeout!.durationMs) });
  }

  /** Ends it early, wherever it is. The first reason stands, and what has settled already stands before it. */
  interrupt(why: Unsuccessful): void {
    if (this.interruption !== null) return;
    this.interruption = why;
    if (this.list !== null) this.list.remove(this);
    if (this.wait !== null) {
      this.wait.leave();
      this.wait = null;
    }
    this.reject(why);
  }

  /** Has a permit of the bulkhead, if there is one, and takes a turn of the rate limit. */
  private paced(): Promise<unknown> {
    const { name, limiter, clock } = this.machine;
    if (limiter === null) return this.run();
    const nowMs = clock.now();
    const waitMs = limiter.reserve(nowMs);
    if (waitMs === 0) return this.run();
    if (waitMs === REFUSED) {
      const afterMs = limiter.retryAfterMs(nowMs);
      return this.refuse(new Rejected('rate_limited', () => new RateLimitedError(name, afterMs)));
    }
    const timer = clock.setTimer(() => this.goOn(), waitMs);
    const wait: RateWait = {
      leave() {
        clock.clearTimer(timer);
        limiter.giveBack(nowMs + waitMs);
      },
    };
    return this.waitFor(wait, () => this.run());
  }

  private waitFor(wait: QueueEntry | RateWait, next: () => unknown): Promise<unknown> {
    this.wait = wait;
    const turn = gate();
    this.resolve = resolveNew;
    this.reject = rejectNew;
    return turn.then(
      () => this.afterWait(next),
      () => this.unwind(this.interruption!),
    );
  }

  private goOn(): void {
    this.wait = null;
    if (this.list !== null) this.list.remove(this);
    this.resolve();
  }

  /** A wait is over; but the caller may have left since, or the circuit have opened. */
  private afterWait(next: () => unknown): unknown {
    const { breaker, circuitOpen } = this.machine;
    if (this.interruption !== null) return this.unwind(this.interruption);
    if (breaker !== null && breaker.era !== this.era) {
      if (!breaker.tryEnter()) return this.unwind(circuitOpen);
      this.era = breaker.era;
    }
    return next();
  }

  private refuse(result: Rejected): Promise<unknown> {
    return later(() => this.unwind(result));
  }

  /** Ends it before the work has begun. */
  private unwind(result: Unsuccessful): unknown {
    const { name, breaker, bulkhead, counts, events } = this.machine;
    if (breaker !== null) breaker.giveBack(this.era);
    if (this.holdsPermit) bulkhead!.release();
    if (result instanceof Rejected) {
      counts.rejections[result.code]++;
      if (events.heard.rejected) events.emit('rejected', { pipeline: name, code: result.code });
    }
    return this.owner.ended(this, result);
  }

  /** The work itself. */
  private run(): Promise<unknown> {
    const { timeout, counts, timesStart, chaos, clock } = this.machine;
    counts.attempts++;
    counts.running++;
    if (timesStart) this.sinceMs = clock.now();
    const first = gate();
    const resolve = (this.resolve = resolveNew);
    const reject = (this.reject = rejectNew);
    if (timeout !== null) timeout.add(this, this.sinceMs!);
    const work = chaos.active ? this.disturbed() : begin(this.work, this);
    work.then(resolve, reject);
    return first.then(
      (value) => this.fulfilled(value),
      (error: unknown) =>
        // Work can reject with null, too.
        error !== null && error === this.interruption ? this.abandon(work) : this.failed(error),
    );
  }

  /** With latency, faults or answers of our own making; given up during the latency, the work is not begun. */
  private disturbed(): Promise<unknown> {
    const { work, machine } = this;
    const { clock, random, chaos } = machine;
    const wait = (ms: number) =>
      new Promise<void>((resolve) => void clock.setTimer(resolve, ms)).then(() => {
        if (this.interruption !== null) throw this.interruption.error;
      });
    return chaos.around(() => work(this), { random, wait });
  }

  /** The work has settled with a value. */
  private fulfilled(value: unknown): unknown {
    const { machine } = this;
    const { isFailureResult } = machine;
    const failed = isFailureResult !== null && verdict(isFailureResult, value);
    if (failed !== false) {
      return this.settled(failed === true ? new FailedResult(machine.name, value) : failed);
    }
    if (this.list !== null) this.list.remove(this);
    learn(machine, this.era, this.sinceMs, false);
    release(machine);
    return this.owner.succeeded(this, value);
  }

  /** The work has settled with an error. */
  private failed(error: unknown): unknown {
    return this.settled(classify(this.machine, error, this.owner.cancelled));
  }

  private settled(result: Unsuccessful): unknown {
    const { machine } = this;
    if (this.list !== null) this.list.remove(this);
    learnFrom(machine, this.era, this.sinceMs, result);
    release(machine);
    return this.owner.ended(this, result);
  }

  /** Given up while the work still runs: it keeps its permit until it has settled, since that long it takes a place. */
  private abandon(work: Promise<unknown>): unknown {
    const { machine } = this;
    const { name, counts, events } = machine;
    const result = this.interruption!;
    this.abandoned = true;
    counts.abandoned++;
    if (result.error instanceof TimeoutError) {
      const { timeoutMs } = result.error;
      counts.timeouts++;
      if (events.heard.timeout) events.emit('timeout', { pipeline: name, attempt: this.attempt, timeoutMs });
    }
    const late = () => {
      counts.abandoned--;
      release(machine);
    };
    work.then(late, late);
    if (this.controller !== null) this.controller.abort(result.error);
    learnFrom(machine, this.era, this.sinceMs, result);
    return this.owner.ended(this, result);
  }
}

/** A turn in the rate limit that has not come yet. */
type RateWait = { leave(): void };
