import { AsyncLocalStorage } from 'node:async_hooks';
import { seeded } from '@cairn/tools/chaos/random.ts';
import { EventQueue, type Due } from './event-queue.ts';
import type { Process } from './process.ts';
import { Trace } from './trace.ts';

// The kernel's own turn of the event loop; everything else in the process runs on its virtual time.
const { setImmediate } = globalThis;

/**
 * The virtual clock and the only source of chance. Every wait of the simulated system (a reply, a timer, a lock's time-out)
 * is an entry in one queue; a step takes the earliest, moves the clock there, runs it and lets all promises settle.
 * Nothing else happens between two steps, so the same seed is the same run.
 */
export class Kernel {
  readonly random: () => number;
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  readonly #current = new AsyncLocalStorage<Process | undefined>();
  /** What runs code in a process's context; a context is made once, which is half of what a step costs. */
  readonly #contexts = new WeakMap<Process, <T>(work: () => T) => T>();
  readonly #cancelled = new WeakSet<Due>();
  #now = 0;
  #steps = 0;

  constructor(seed: number, { keep }: { keep?: number } = {}) {
    this.random = seeded(seed);
    this.trace = new Trace(keep);
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** The process whose code is running. */
  get current(): Process | undefined {
    return this.#current.getStore();
  }

  /** The wall clock of the simulated system. */
  date(): Date {
    return new Date(START + Math.floor(this.#now));
  }

  /** Runs the callback in `ms`; for a process, only while it lives, and later when it is stopped. Returns what cancels it. */
  after(ms: number, owner: Process | undefined, callback: () => void): () => void {
    const due: Due = this.#queue.add(this.#now + Math.max(0, ms), () => {
      if (this.#cancelled.has(due)) return;
      if (owner) owner.deliver(() => !this.#cancelled.has(due) && this.as(owner, callback));
      else callback();
    });
    return () => void this.#cancelled.add(due);
  }

  /** Code of a process, begun now. */
  as<T>(owner: Process, work: () => T): T {
    let enter = this.#contexts.get(owner);
    if (!enter)
      this.#contexts.set(owner, (enter = this.#current.run(owner, () => AsyncLocalStorage.snapshot())));
    return enter(work);
  }

  sleep(ms: number, owner: Process | undefined): Promise<void> {
    return new Promise((resolve) => void this.after(ms, owner, resolve));
  }

  /** Steps until the condition holds, nothing is due any more, or so much virtual time has passed. */
  async runUntil(condition: () => boolean, withinMs = Infinity): Promise<boolean> {
    const end = this.#now + withinMs;
    for (;;) {
      await new Promise(setImmediate);
      if (condition()) return true;
      const due = this.#queue.next();
      if (!due) return false;
      if (due.at > end) {
        this.#queue.add(due.at, due.run);
        this.#now = end;
        return false;
      }
      this.#now = due.at;
      this.#steps += 1;
      due.run();
    }
  }

  say(text: string): void {
    this.trace.add(this.#now, text);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }

  /** A whole number below `n`. */
  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const START = Date.parse('2026-01-01T00:00:00Z');
