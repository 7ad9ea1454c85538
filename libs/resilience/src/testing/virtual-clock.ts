import type { Clock } from '../clock.ts';

type Timer = { dueMs: number; order: number; callback: () => void };

// Taken now, so that a test that fakes the runtime's timers does not stop this clock.
const nextTurn = setImmediate;

/** A clock that stands still until it is told to move, for tests of whatever waits. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs what `now` says at first. Default 0. */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Timers that are set and have not run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, in ms of this clock; Infinity without one. */
  get nextAt(): number {
    return this.#next()?.dueMs ?? Infinity;
  }

  setTimer(callback: () => void, delayMs: number): unknown {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** Moves on by `ms`, runs each timer at its time, and lets everything that follows from it happen before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await this.settle();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Steps without running what is due, as if the event loop had been blocked, or the clock had gone back. */
  step(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets everything happen that waits for nothing but its turn. */
  settle(): Promise<void> {
    return new Promise((resolve) => void nextTurn(resolve));
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}
