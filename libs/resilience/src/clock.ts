import { MAX_DURATION_MS } from './duration.ts';

/** Where a pipeline takes time and timers from. */
export interface Clock {
  /** Monotonic milliseconds. A wall clock will not do: it steps, and a step must neither open nor hold a circuit. */
  now(): number;
  /** Runs `callback` once, `delayMs` from now. */
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
}

export type SystemClockOptions = {
  /**
   * True: a wait (time-out, back-off) keeps the process alive until it is over, which a script wants. Default false: a
   * server that is asked to stop does not stay for a back-off.
   */
  keepAlive?: boolean;
};

/** The clock of this process, which no adjustment of the wall clock moves. */
export function systemClock({ keepAlive = false }: SystemClockOptions = {}): Clock {
  return keepAlive ? PATIENT : SYSTEM;
}

const SYSTEM = clockWith(false);
const PATIENT = clockWith(true);

function clockWith(keepAlive: boolean): Clock {
  return Object.freeze({
    now: () => performance.now(),
    setTimer(callback: () => void, delayMs: number) {
      // The platform would run a longer one at once.
      const timer = setTimeout(callback, Math.min(delayMs, MAX_DURATION_MS));
      if (!keepAlive) timer.unref();
      return timer;
    },
    clearTimer: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  });
}
