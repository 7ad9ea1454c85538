import type { Clock } from '../clock.ts';

type Sleeper = { at: number; wake: () => void };

/** A clock that stands still until it is told to go on. Hours pass at once, and in the order they would. */
export class VirtualClock implements Clock {
  readonly #settled: () => Promise<unknown>;
  #now = 0;
  #sleepers: Sleeper[] = [];

  /** `settled`: resolves when all that can go on without time passing has gone on. Default: promises only, no I/O. */
  constructor({ settled = promises }: { settled?: () => Promise<unknown> } = {}) {
    this.#settled = settled;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  /** How many wait. */
  get waiting(): number {
    return this.#sleepers.length;
  }

  /** Lets that much time pass. Whoever is due wakes in order, and what it then does is done before the next wakes. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.#settled();
    for (;;) {
      const due = this.#sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#now = Math.max(this.#now, due.at);
      due.wake();
      await this.#settled();
    }
    this.#now = until;
  }
}

function promises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
