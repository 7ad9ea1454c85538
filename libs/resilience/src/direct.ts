import { isIdempotent, type CallContext, type CallOptions, type Work } from './context.ts';
import { begin, classify, learn, learnFrom, release } from './judge.ts';
import type { Machine } from './machine.ts';
import { FailedResult, verdict, type Unsuccessful } from './outcome.ts';
import type { Solo, Task } from './solo.ts';

/**
 * The short way, for a call that nothing but its own work can end: no time-out, no deadline, no signal, no hedge, no wait
 * for a permit. It needs neither a gate nor a list, and so costs half. The rules are those of `Attempt`.
 */
export class DirectCall implements CallContext, Task {
  declare readonly machine: Machine;
  declare readonly work: Work<unknown>;
  declare readonly options: CallOptions;
  declare private readonly owner: Solo;
  declare private readonly era: number;
  declare private readonly startedAt: number | null;

  constructor(machine: Machine, work: Work<unknown>, options: CallOptions, owner: Solo) {
    this.machine = machine;
    this.work = work;
    this.options = options;
    this.owner = owner;
    this.era = machine.breaker === null ? -1 : machine.breaker.era;
    this.startedAt = machine.timesStart ? machine.clock.now() : null;
  }

  get signal(): AbortSignal {
    // Each read may make another one: none of them ever aborts.
    return new AbortController().signal;
  }

  get attempt(): number {
    return 1;
  }

  get deadlineAt(): undefined {
    return undefined;
  }

  get remainingMs(): number {
    return Infinity;
  }

  get idempotencyKey(): string | undefined {
    return this.options.idempotencyKey;
  }

  get idempotent(): boolean {
    return isIdempotent(this.options);
  }

  /** Once breaker and bulkhead have let it in. */
  start(): Promise<unknown> {
    const { counts } = this.machine;
    counts.attempts++;
    counts.running++;
    return begin(this.work, this).then(
      (value) => this.fulfilled(value),
      (error: unknown) => this.failed(error),
    );
  }

  private fulfilled(value: unknown): unknown {
    const { machine } = this;
    const { isFailureResult } = machine;
    const failed = isFailureResult !== null && verdict(isFailureResult, value);
    if (failed !== false) {
      return this.ended(failed === true ? new FailedResult(machine.name, value) : failed);
    }
    learn(machine, this.era, this.startedAt, false);
    release(machine);
    return this.owner.succeeded(this, value);
  }

  private failed(error: unknown): unknown {
    return this.ended(classify(this.machine, error, false));
  }

  private ended(result: Unsuccessful): unknown {
    const { machine } = this;
    learnFrom(machine, this.era, this.startedAt, result);
    release(machine);
    return this.owner.ended(this, result);
  }
}
