import { Attempt, type AttemptOwner } from './attempt.ts';
import { jittered } from './backoff.ts';
import { conclude, settle } from './conclude.ts';
import { isIdempotent, type CallOptions, type Work } from './context.ts';
import { Expiring } from './deadlines.ts';
import { CancelledError, DeadlineExceededError } from './errors.ts';
import type { RetryDenial } from './events.ts';
import { gate, later, rejectNew, resolveNew } from './gate.ts';
import { HedgeRound } from './hedge.ts';
import type { Machine, RetryRules } from './machine.ts';
import { FailedResult, Thrown, type Unsuccessful } from './outcome.ts';
import { watch, type Cancellable, type Subscription } from './signals.ts';

/** Whatever a call is busy with. */
interface Interruptible {
  interrupt(why: Unsuccessful): void;
}

/**
 * Errors that were retried already, and by whom. Who called us and retries, too, need not do it all again. One object that
 * is thrown again and again by the work of one pipeline is worth new attempts each time, though.
 */
const retriedBy = new WeakMap<object, Machine>();

/** One call, with all its attempts, the waits between them, and what may end it early. */
export class Call implements AttemptOwner, Cancellable {
  declare readonly machine: Machine;
  declare readonly work: Work<unknown>;
  declare readonly options: CallOptions;
  /** Attempts begun, the parallel ones included. */
  declare attempts: number;
  declare private readonly asOutcome: boolean;
  declare private round: number;
  declare private interruption: Unsuccessful | null;
  declare private busyWith: Interruptible | null;
  declare private subscription: Subscription | null;
  declare private deadline: CallDeadline | null;

  constructor(machine: Machine, work: Work<unknown>, options: CallOptions, asOutcome: boolean) {
    this.machine = machine;
    this.work = work;
    this.options = options;
    this.attempts = 0;
    this.asOutcome = asOutcome;
    this.round = 0;
    this.interruption = null;
    this.busyWith = null;
    this.subscription = null;
    this.deadline = null;
  }

  /** In ms of the clock; Infinity without a deadline. */
  get deadlineAt(): number {
    return this.deadline === null ? Infinity : this.deadline.at;
  }

  get cancelled(): boolean {
    return this.interruption?.status === 'cancelled';
  }

  begin(): Promise<unknown> {
    const { machine, options } = this;
    const { signal } = options;
    if (signal !== undefined) {
      if (signal.aborted) return later(() => this.#end(this.#cancelledBy(signal.reason)));
      this.subscription = watch(signal, this);
    }
    if (machine.deadline !== null || options.deadlineAt !== undefined) {
      this.deadline = new CallDeadline(this);
      this.deadline.start(options.deadlineAt);
      if (this.interruption !== null) return later(() => this.#end(this.interruption!));
    }
    if (machine.retry !== null) machine.retry.budget?.deposit();
    if (machine.hedge !== null) machine.hedge.budget?.deposit();
    return this.#next();
  }

  /** Its first attempt was made without it, and failed. */
  goOnAfter(result: Unsuccessful): unknown {
    this.attempts = this.round = 1;
    return this.ended(this, result);
  }

  cancel(reason: unknown): void {
    this.interrupt(this.#cancelledBy(reason));
  }

  #cancelledBy(reason: unknown): Unsuccessful {
    return { status: 'cancelled', error: new CancelledError(this.machine.name, reason) };
  }

  interrupt(why: Unsuccessful): void {
    if (this.interruption !== null) return;
    this.interruption = why;
    this.busyWith?.interrupt(why);
  }

  /** The next attempt, or the next round of parallel ones. */
  #next(): Promise<unknown> {
    const { hedge } = this.machine;
    this.round++;
    if (hedge !== null && (hedge.idempotent || isIdempotent(this.options))) {
      const round = new HedgeRound(this, hedge);
      this.busyWith = round;
      return round.start();
    }
    const attempt = this.newAttempt(this);
    this.busyWith = attempt;
    return attempt.start();
  }

  newAttempt(owner: AttemptOwner): Attempt {
    return new Attempt(this.machine, this.work, this.options, owner, ++this.attempts);
  }

  succeeded(_attempt: unknown, value: unknown): unknown {
    this.#settle('ok');
    return this.asOutcome ? { status: 'ok', value } : value;
  }

  ended(_attempt: unknown, result: Unsuccessful): unknown {
    const { retry } = this.machine;
    if (retry === null || result.status !== 'failed' || this.interruption !== null) return this.#end(result);
    let next;
    try {
      next = this.#retry(retry, result);
    } catch (error) {
      // `retryOn` or `retryAfter` threw.
      return this.#end(new Thrown(error));
    }
    return next ?? this.#end(result);
  }

  /** The wait and what follows it, or nothing when this was the last attempt. */
  #retry(rules: RetryRules, { error }: Unsuccessful): Promise<unknown> | undefined {
    const { name, counts, events, random } = this.machine;
    if (this.round >= rules.attempts || !rules.retryOn(error, this.round)) return undefined;
    const askedMs = rules.retryAfter(error) ?? 0;
    // Those who were all told the same time must not all come at that time.
    const delayMs = askedMs + jittered(rules.backoff(this.round), rules.jitter, random);
    const reason = this.#denial(rules, error, askedMs, delayMs);
    if (reason !== null) {
      counts.retriesDenied[reason]++;
      if (events.heard.retryDenied) {
        events.emit('retryDenied', { pipeline: name, attempt: this.attempts, reason, error });
      }
      return undefined;
    }
    counts.retries++;
    if (events.heard.retry) events.emit('retry', { pipeline: name, attempt: this.attempts, delayMs, error });
    return this.#backOff(delayMs);
  }

  #denial(rules: RetryRules, error: unknown, askedMs: number, delayMs: number): RetryDenial | null {
    if (!rules.idempotent && !isIdempotent(this.options)) return 'not_idempotent';
    if (wasRetried(error, this.machine)) return 'nested';
    if (askedMs > rules.maxRetryAfterMs) return 'retry_after';
    // A wait that the deadline would end is a wait for nothing.
    if (this.deadline !== null && this.machine.clock.now() + delayMs >= this.deadlineAt) return 'deadline';
    return rules.budget === null || rules.budget.tryWithdraw() ? null : 'budget';
  }

  #backOff(delayMs: number): Promise<unknown> {
    const { clock } = this.machine;
    const wait = gate();
    const resolve = resolveNew;
    const reject = rejectNew;
    const timer = clock.setTimer(resolve, delayMs);
    this.busyWith = {
      interrupt(why) {
        clock.clearTimer(timer);
        reject(why);
      },
    };
    return wait.then(
      () => (this.interruption === null ? this.#next() : this.#end(this.interruption)),
      () => this.#end(this.interruption!),
    );
  }

  #end(result: Unsuccessful): unknown {
    this.#settle(result.status);
    if (this.round > 1 && result.status === 'failed') markRetried(result, this.machine);
    return conclude(this.machine, result, this.asOutcome);
  }

  #settle(status: Unsuccessful['status'] | 'ok'): void {
    settle(this.machine, status, this.attempts);
    if (this.subscription !== null) this.subscription.end();
    if (this.deadline !== null) this.deadline.end();
  }
}

/** The earlier one of two deadlines: the pipeline's, and the one that the caller hands on. */
class CallDeadline extends Expiring {
  readonly #call: Call;
  /** In ms of the clock. */
  at = Infinity;
  #durationMs = 0;
  #isOurs = true;
  #timer: unknown;

  constructor(call: Call) {
    super();
    this.#call = call;
  }

  start(callersAt = Infinity): void {
    const { deadline, clock } = this.#call.machine;
    const nowMs = clock.now();
    const oursAt = deadline === null ? Infinity : nowMs + deadline.durationMs;
    this.at = Math.min(oursAt, callersAt);
    this.#durationMs = this.at - nowMs;
    this.#isOurs = oursAt <= callersAt;
    if (this.#durationMs <= 0) this.expire();
    else if (this.#isOurs) deadline!.add(this, nowMs);
    else if (callersAt < Infinity) this.#timer = clock.setTimer(() => this.expire(), this.#durationMs);
  }

  end(): void {
    this.list?.remove(this);
    if (this.#timer !== undefined) this.#call.machine.clock.clearTimer(this.#timer);
  }

  /** Our own says that the other side took too long; the caller's says that the caller had little time. */
  override expire(): void {
    const { name, counts } = this.#call.machine;
    counts.deadlines++;
    const error = new DeadlineExceededError(name, this.#durationMs);
    this.#call.interrupt({ status: this.#isOurs ? 'failed' : 'cancelled', error });
  }
}

function markRetried(result: Unsuccessful, by: Machine): void {
  // Of a value that is a failure each read of `error` makes another error.
  const error = result instanceof FailedResult ? result.value : result.error;
  if (typeof error === 'object' && error !== null) retriedBy.set(error, by);
}

function wasRetried(error: unknown, machine: Machine, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const by = retriedBy.get(error);
  if (by !== undefined && by !== machine) return true;
  return wasRetried((error as { cause?: unknown }).cause, machine, depth + 1);
}
