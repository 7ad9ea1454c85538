import { checkWhole } from './check.ts';
import type { Clock } from './clock.ts';
import { deadlineList, type DeadlineList } from './deadlines.ts';
import { toMs, type Duration } from './duration.ts';

export type BulkheadOptions = {
  /** Calls at a time. */
  max: number;
  /** Calls that may wait for a place, first come, first served. Default 0. */
  queue?: number;
  /** How long a call may wait for a place. Default: as long as its deadline and its caller let it. */
  queueTimeout?: Duration;
};

/** Waits for a place. */
export interface Waiting {
  /** It has the place now, and gives it back by `release`. */
  granted(): void;
}

/** One place in the queue. */
export class QueueEntry {
  readonly owner: Waiting;
  readonly #bulkhead: Bulkhead;
  prev: QueueEntry | null = null;
  next: QueueEntry | null = null;

  constructor(bulkhead: Bulkhead, owner: Waiting) {
    this.#bulkhead = bulkhead;
    this.owner = owner;
  }

  /** Leaves the queue without a permit. O(1). */
  leave(): void {
    this.#bulkhead.remove(this);
  }
}

/** Bounds how much of this process one dependency can take: permits, and a queue in which nobody overtakes. */
export class Bulkhead {
  running = 0;
  queued = 0;
  max: number;
  readonly queueMax: number;
  readonly queueTimeout: DeadlineList | null;
  #head: QueueEntry | null = null;
  #tail: QueueEntry | null = null;

  constructor({ max, queue = 0, queueTimeout }: BulkheadOptions, clock: Clock) {
    this.max = checkWhole(max, 'bulkhead.max', 1);
    this.queueMax = checkWhole(queue, 'bulkhead.queue', 0);
    this.queueTimeout =
      queueTimeout === undefined ? null : deadlineList(clock, toMs(queueTimeout, 'bulkhead.queueTimeout'));
  }

  /** Takes a permit if one is free and nobody waits for it. */
  tryAcquire(): boolean {
    if (this.running >= this.max || this.#head !== null) return false;
    this.running++;
    return true;
  }

  /** Joins the queue, unless it is full. */
  enqueue(owner: Waiting): QueueEntry | null {
    if (this.queued >= this.queueMax) return null;
    const entry = new QueueEntry(this, owner);
    entry.prev = this.#tail;
    if (this.#tail === null) this.#head = entry;
    else this.#tail.next = entry;
    this.#tail = entry;
    this.queued++;
    return entry;
  }

  remove(entry: QueueEntry): void {
    const { prev, next } = entry;
    if (prev === null) this.#head = next;
    else prev.next = next;
    if (next === null) this.#tail = prev;
    else next.prev = prev;
    entry.prev = entry.next = null;
    this.queued--;
  }

  /** Gives a permit back: straight to whoever has waited longest, so that no newcomer gets in between. */
  release(): void {
    this.running--;
    this.#grant();
  }

  /** Changes the number of permits; those that are out stay out. */
  resize(max: number): void {
    this.max = max;
    this.#grant();
  }

  #grant(): void {
    for (let head = this.#head; head !== null && this.running < this.max; head = this.#head) {
      this.remove(head);
      this.running++;
      head.owner.granted();
    }
  }
}
