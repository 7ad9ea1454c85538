import type { BreakerState, StateChangeReason } from './breaker.ts';
import type { RejectionCode } from './errors.ts';

/** How a call ended. Only `ok` and `failed` say something about the other side, and only they reach the breaker. */
export type Status = 'ok' | 'failed' | 'ignored' | 'cancelled' | 'rejected';

export type RetryDenial = 'not_idempotent' | 'budget' | 'deadline' | 'retry_after' | 'nested';

/** What a pipeline tells, by the name of the event. Each carries the name of its pipeline. */
export type ResilienceEvents = {
  /** The circuit breaker changed its state. */
  stateChange: { pipeline: string; from: BreakerState; to: BreakerState; reason: StateChangeReason };
  /** Attempt `attempt` failed and is followed by another one in `delayMs`. */
  retry: { pipeline: string; attempt: number; delayMs: number; error: unknown };
  /** Attempt `attempt` failed and would have been repeated, were it not for `reason`. */
  retryDenied: { pipeline: string; attempt: number; reason: RetryDenial; error: unknown };
  /** A parallel attempt was started because the one before has not answered yet. */
  hedge: { pipeline: string; attempt: number };
  /** An attempt was not made. */
  rejected: { pipeline: string; code: RejectionCode };
  /** An attempt timed out. */
  timeout: { pipeline: string; attempt: number; timeoutMs: number };
  /** The fallback was asked. */
  fallback: { pipeline: string; status: 'failed' | 'rejected' };
  /** A call is over, after all its attempts and before its fallback. */
  settled: { pipeline: string; status: Status; attempts: number };
};

export type ResilienceEvent = keyof ResilienceEvents;
export type Listener<E extends ResilienceEvent> = (event: ResilienceEvents[E]) => unknown;

/** Tells listeners, and lets nothing that they do reach the call: not what they throw, not what they reject with. */
export class Events {
  /** Listeners that threw or rejected. */
  errors = 0;
  /** Is anybody listening? Saves making an event that nobody hears. */
  readonly heard: Record<ResilienceEvent, boolean> = {
    stateChange: false,
    retry: false,
    retryDenied: false,
    hedge: false,
    rejected: false,
    timeout: false,
    fallback: false,
    settled: false,
  };
  readonly #listeners = new Map<ResilienceEvent, readonly Listener<never>[]>();

  /** @throws RangeError when there is no such event */
  on<E extends ResilienceEvent>(event: E, listener: Listener<E>): () => void {
    if (!Object.hasOwn(this.heard, event)) {
      throw new RangeError(`there is no event "${event}". There are: ${Object.keys(this.heard).join(', ')}`);
    }
    // A wrapper of its own, so that one listener may be added twice and each time be taken away by itself.
    const added: Listener<never> = (data) => listener(data);
    this.#set(event, [...this.#of(event), added]);
    return () =>
      this.#set(
        event,
        this.#of(event).filter((other) => other !== added),
      );
  }

  #of(event: ResilienceEvent): readonly Listener<never>[] {
    return this.#listeners.get(event) ?? [];
  }

  #set(event: ResilienceEvent, listeners: readonly Listener<never>[]): void {
    this.#listeners.set(event, listeners);
    this.heard[event] = listeners.length > 0;
  }

  emit<E extends ResilienceEvent>(event: E, data: ResilienceEvents[E]): void {
    for (const listener of this.#of(event) as readonly Listener<E>[]) {
      try {
        const answer = listener(data) as PromiseLike<unknown> | undefined;
        if (typeof answer?.then === 'function') answer.then(undefined, () => void this.errors++);
      } catch {
        this.errors++;
      }
    }
  }
}
