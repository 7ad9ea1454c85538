import { Call } from './call.ts';
import { conclude, settle } from './conclude.ts';
import type { CallOptions, Work } from './context.ts';
import type { Machine } from './machine.ts';
import type { Unsuccessful } from './outcome.ts';

/** All that a call needs to be made. */
export interface Task {
  readonly machine: Machine;
  readonly work: Work<unknown>;
  readonly options: CallOptions;
}

/**
 * The owner of an attempt that is its whole call, so far: most calls settle at once, and need no `Call` with its waits,
 * rounds and interruptions. One is made when the attempt is to be followed by another.
 */
class Solo {
  readonly deadlineAt = Infinity;
  readonly cancelled = false;
  readonly #asOutcome: boolean;

  constructor(asOutcome: boolean) {
    this.#asOutcome = asOutcome;
  }

  succeeded({ machine }: Task, value: unknown): unknown {
    settle(machine, 'ok', 1);
    return this.#asOutcome ? { status: 'ok', value } : value;
  }

  ended({ machine, work, options }: Task, result: Unsuccessful): unknown {
    if (machine.retry !== null && result.status === 'failed') {
      return new Call(machine, work, options, this.#asOutcome).goOnAfter(result);
    }
    settle(machine, result.status, 1);
    return conclude(machine, result, this.#asOutcome);
  }
}

export type { Solo };
export const SOLO = new Solo(false);
export const SOLO_OUTCOME = new Solo(true);
