/** Wants to know when a signal aborts. */
export interface Cancellable {
  cancel(reason: unknown): void;
}

/** One place in the list of those who watch a signal. */
export class Subscription {
  readonly #watchers: Watchers;
  readonly owner: Cancellable;
  listed = true;
  prev: Subscription | null = null;
  next: Subscription | null = null;

  constructor(watchers: Watchers, owner: Cancellable) {
    this.#watchers = watchers;
    this.owner = owner;
    watchers.add(this);
  }

  /** A second time does nothing. */
  end(): void {
    this.#watchers.remove(this);
  }
}

/**
 * All calls that watch one signal, behind one listener. A listener per call would be linear in the calls in flight to
 * add and to remove, and print a MaxListenersExceededWarning; the one stays for as long as the signal lives.
 */
class Watchers {
  #head: Subscription | null = null;
  #tail: Subscription | null = null;

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.#abort(signal.reason), { once: true });
  }

  add(subscription: Subscription): void {
    subscription.prev = this.#tail;
    if (this.#tail === null) this.#head = subscription;
    else this.#tail.next = subscription;
    this.#tail = subscription;
  }

  remove(subscription: Subscription): void {
    if (!subscription.listed) return;
    subscription.listed = false;
    const { prev, next } = subscription;
    if (prev === null) this.#head = next;
    else prev.next = next;
    if (next === null) this.#tail = prev;
    else next.prev = prev;
    subscription.prev = subscription.next = null;
  }

  #abort(reason: unknown): void {
    for (let head = this.#head; head !== null; head = this.#head) {
      this.remove(head);
      head.owner.cancel(reason);
    }
  }
}

const watchersOf = new WeakMap<AbortSignal, Watchers>();

/** Calls `owner.cancel` once when `signal` aborts, unless the subscription is ended before. O(1), also to end. */
export function watch(signal: AbortSignal, owner: Cancellable): Subscription {
  let watchers = watchersOf.get(signal);
  if (!watchers) watchersOf.set(signal, (watchers = new Watchers(signal)));
  return new Subscription(watchers, owner);
}
