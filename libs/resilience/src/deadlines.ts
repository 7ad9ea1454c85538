import type { Clock } from './clock.ts';

/**
 * Something that ends at a time. It is its own list node, so that adding and removing allocate nothing. Its fields, and
 * those of the classes made for each call, are assigned in the constructor: as class fields they take twice as long.
 */
export abstract class Expiring {
  /** When its time began to count, in ms of the list's clock. A number in it is a box of its own: hence null at first. */
  declare sinceMs: number | null;
  declare list: DeadlineList | null;
  declare prev: Expiring | null;
  declare next: Expiring | null;

  constructor() {
    this.sinceMs = null;
    this.list = null;
    this.prev = null;
    this.next = null;
  }

  /** When it will expire, in ms of the list's clock; Infinity while it is in no list. */
  get dueMs(): number {
    return this.list === null ? Infinity : this.sinceMs! + this.list.durationMs;
  }

  /** Called once, when it is still in its list at `dueMs`. It is in no list any more then. */
  abstract expire(): void;
}

/**
 * All that waits for one and the same duration, on one clock. First in is first due, so adding, removing and expiring
 * are O(1), and one timer, for the head, serves all. A head that is removed leaves the timer as it is: it fires once for
 * nothing, and costs less than two calls to the runtime's timers per call of ours.
 */
export class DeadlineList {
  readonly durationMs: number;
  readonly #clock: Clock;
  #head: Expiring | null = null;
  #tail: Expiring | null = null;
  #armed = false;
  #timer: unknown;

  constructor(durationMs: number, clock: Clock) {
    this.durationMs = durationMs;
    this.#clock = clock;
  }

  add(node: Expiring, nowMs: number): void {
    node.sinceMs = nowMs;
    node.list = this;
    node.prev = this.#tail;
    if (this.#tail === null) this.#head = node;
    else this.#tail.next = node;
    this.#tail = node;
    if (!this.#armed) this.#arm(this.durationMs);
  }

  remove(node: Expiring): void {
    const { prev, next } = node;
    if (prev === null) this.#head = next;
    else prev.next = next;
    if (next === null) this.#tail = prev;
    else next.prev = prev;
    node.list = node.prev = node.next = null;
    if (this.#head === null && this.#armed && this.#clock.keepAlive === true) this.#disarm();
  }

  #arm(delayMs: number): void {
    this.#armed = true;
    this.#timer = this.#clock.setTimer(this.#fire, delayMs);
  }

  #disarm(): void {
    this.#armed = false;
    this.#clock.clearTimer(this.#timer);
  }

  readonly #fire = (): void => {
    this.#armed = false;
    const nowMs = this.#clock.now();
    for (
      let head = this.#head;
      head !== null && head.sinceMs! + this.durationMs <= nowMs;
      head = this.#head
    ) {
      this.remove(head);
      head.expire();
    }
    // The runtime's timers know whole milliseconds and may come a little early: then once more, for the rest.
    if (this.#head !== null && !this.#armed)
      this.#arm(Math.max(1, this.#head.sinceMs! + this.durationMs - nowMs));
  };
}

/** The lists of one clock. Every pipeline on that clock shares them: there is no timer per pipeline. */
const listsOf = new WeakMap<Clock, Map<number, DeadlineList>>();

export function deadlineList(clock: Clock, durationMs: number): DeadlineList {
  let lists = listsOf.get(clock);
  if (!lists) listsOf.set(clock, (lists = new Map()));
  let list = lists.get(durationMs);
  if (!list) lists.set(durationMs, (list = new DeadlineList(durationMs, clock)));
  return list;
}
