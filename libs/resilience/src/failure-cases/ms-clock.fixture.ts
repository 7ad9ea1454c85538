import type { Clock } from '../clock.ts';

type Timer = { at: number; callback: () => void };

/** A virtual clock for simulations with thousands of timers at a time: in whole milliseconds, a list for each. */
export class MsClock implements Clock {
  #nowMs = 0;
  readonly #due = new Map<number, Set<Timer>>();

  now(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const at = this.#nowMs + Math.max(1, Math.ceil(delayMs));
    const timer = { at, callback };
    const others = this.#due.get(at);
    if (others) others.add(timer);
    else this.#due.set(at, new Set([timer]));
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#due.get((timer as Timer).at)?.delete(timer as Timer);
  }

  /** Runs each timer at its time, and lets all that follows from it happen before the next millisecond. */
  async advanceTo(untilMs: number): Promise<void> {
    while (this.#nowMs < untilMs) {
      const timers = this.#due.get(++this.#nowMs);
      if (!timers) continue;
      for (const { callback } of timers) callback();
      this.#due.delete(this.#nowMs);
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }
}
