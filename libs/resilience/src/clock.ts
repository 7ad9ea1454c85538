import { AsyncResource } from 'node:async_hooks';
import { MAX_DURATION_MS } from './duration.ts';

/** Where a pipeline takes time and timers from. */
export interface Clock {
  /** Monotonic milliseconds. A wall clock will not do: it steps, and a step must neither open nor hold a circuit. */
  now(): number;
  /** Runs `callback` once, `delayMs` from now. */
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
  /** Do its timers keep the process alive? Then those that nobody waits for any more are cleared. Default false. */
  readonly keepAlive?: boolean;
}

export type SystemClockOptions = {
  /**
   * True: a call that waits (for a time-out, a back-off) keeps the process alive, which a script wants. Default false: a
   * server that is asked to stop does not stay for a back-off.
   */
  keepAlive?: boolean;
};

/** The clock of this process, which no adjustment of the wall clock moves. */
export function systemClock({ keepAlive = false }: SystemClockOptions = {}): Clock {
  return keepAlive ? PATIENT : SYSTEM;
}

/** For what no call waits for, such as the time that a circuit is open: never a reason to stay. */
export function inBackground(clock: Clock): Clock {
  return clock === PATIENT ? SYSTEM : clock;
}

/**
 * Timers are shared by calls, and belong to none of them: set in the context of a call, one would keep what that call
 * had in its AsyncLocalStorage, and show it to the listeners of whatever else it ends.
 */
const outside = new AsyncResource('cairn.resilience.timers', { requireManualDestroy: true });

const SYSTEM = clockWith(false);
const PATIENT = clockWith(true);

/**
 * The global `performance` is an accessor, which takes half as long again as reading the time. So it is looked up anew
 * only after the global timers were replaced: who fakes the timers of a test fakes both.
 */
let lookedUpWith: typeof setTimeout | undefined;
let lookedUp = performance;

function now(): number {
  if (lookedUpWith !== setTimeout) {
    lookedUpWith = setTimeout;
    lookedUp = performance;
  }
  return lookedUp.now();
}

function clockWith(keepAlive: boolean): Clock {
  return Object.freeze({
    keepAlive,
    now,
    setTimer(callback: () => void, delayMs: number) {
      // The platform would run a longer one at once.
      const ms = Math.min(delayMs, MAX_DURATION_MS);
      const timer = outside.runInAsyncScope(setTimeout, undefined, callback, ms);
      if (!keepAlive) timer.unref();
      return timer;
    },
    clearTimer: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  });
}
