import type { DeadLetter } from './dead-letter.ts';
import { parseEvent, sequenceOf, type Event } from './event.ts';
import { classify, pauseAfter } from './failure.ts';
import type { Handlers } from './handler.ts';
import type { HeldEvent, HeldKey, Numbered, Place, SequenceStore, Turn } from './sequence.ts';
import { NOT_TRACED, type MessagingTracing } from './tracing.ts';

/** A message as it comes from the broker. */
export type Message = Place & {
  key: Buffer | null;
  value: Buffer | null;
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
};

export type DeliveryOptions = {
  groupId: string;
  handlers: Handlers;
  /** Resolves when the letter is kept. What is parked twice must become one letter. */
  park: (letter: DeadLetter) => Promise<void>;
  /** Wraps each handler, for instance to set the correlation context. */
  around?: (event: Event, handle: () => Promise<void>) => Promise<void>;
  /** Tries for a failure that may be a bug before the message is parked. Default 5. */
  maxAttempts?: number;
  /** Longest pause of a partition between two tries, in ms. Default 5000. */
  maxBackoffMs?: number;
  /** Longest pause for a failure that says itself when to come back (`retryAfterMs`), in ms. Default 60,000. */
  maxPauseMs?: number;
  /**
   * Topics of which every event is to be applied in the order of its `sequence`: what comes too early is held, and its
   * subject waits, while the partition goes on. Default: none. Events without a sequence are not checked.
   */
  sequence?: { store: SequenceStore; topics: string[] };
  onError?: (error: unknown, message: Place & { outcome: string }) => void;
  /** A message is kept, as one before it is missing. */
  onHeld?: (message: Place) => void;
  /** A message came after one that follows it: the two were turned around on their way, and are applied in order. */
  onInverted?: (message: Place) => void;
  /** A message came whose number was applied before. Its handler tells by the inbox whether it is a double. */
  onOld?: (message: Place) => void;
  /** Default: makes no spans. */
  tracing?: MessagingTracing;
};

/** What failed last in a partition: how often, and how often of these for no known reason. */
type Failures = { offset: string; tries: number; unknown: number };

/** What became of an event, and the message that waited for it. */
type Applied = { turn?: Turn; next?: Message | undefined };

const HEARTBEAT_MS = 2000;
const NEVER = new AbortController().signal;

/**
 * Hands a message to its handler, and decides what becomes of it when that fails. No error leaves it: a failure around
 * the message pauses the partition, without end; a message that is wrong itself is parked, and the partition goes on.
 * Knows no broker: whoever calls it commits a message when it is done with.
 */
export class Delivery {
  readonly #options: Required<Omit<DeliveryOptions, 'sequence'>> & Pick<DeliveryOptions, 'sequence'>;
  /** By partition, so that it does not grow: a partition has one message in hand. */
  readonly #failures = new Map<string, Failures>();

  constructor(options: DeliveryOptions) {
    const nothing = () => {};
    this.#options = {
      around: (_, handle) => handle(),
      maxAttempts: 5,
      maxBackoffMs: 5000,
      maxPauseMs: 60_000,
      onError: nothing,
      onHeld: nothing,
      onInverted: nothing,
      onOld: nothing,
      tracing: NOT_TRACED,
      ...options,
    };
  }

  /**
   * Handles the message, and then what waited for it. 0 when it is done with and may be committed, else how many ms to
   * wait before it is handed in again. A second time changes nothing.
   * @param signal aborts when the process stops: what fails then is not parked
   * @param heartbeat called every 2 s, as a slow handler must not cost the partition
   */
  async handle(
    message: Message,
    signal: AbortSignal = NEVER,
    heartbeat: () => Promise<void> = async () => {},
  ): Promise<number> {
    const timer = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
    let current: Message | undefined = message;
    try {
      while (current) {
        const { turn, next }: Applied = await this.#apply(current, signal);
        this.#forget(current);
        if (next && turn === 'next' && current === message) this.#options.onInverted(message);
        current = next;
      }
      return 0;
    } catch (error) {
      return await this.#failed(error, current!, signal);
    } finally {
      clearInterval(timer);
    }
  }

  /**
   * Handles a message once more, as an operator asks for, and then what waited for it; of that, what is wrong in its turn
   * is parked. Resolves to `held` when the message is kept itself, as one before it is missing.
   * @throws what the handler throws, and when what waited cannot be handled now: then ask again
   */
  async handleOnce(message: Message, signal: AbortSignal = NEVER): Promise<'done' | 'held'> {
    const { turn, next } = await this.#apply(message, signal);
    await this.#release(next, signal);
    return turn === 'held' ? 'held' : 'done';
  }

  /**
   * Gives up on an event, and handles what waited for it. Does nothing where nothing can wait: the topic is not an
   * ordered one, or the event has no number.
   * @throws when an earlier event of the subject is missing as well
   */
  async skip(event: Numbered, topic: string, signal: AbortSignal = NEVER): Promise<void> {
    const { sequence, groupId } = this.#options;
    if (!sequence?.topics.includes(topic) || sequenceOf(event) === undefined) return;
    const next = await sequence.store.skip(groupId, event);
    await this.#release(next && messageOf(next), signal);
  }

  /** What waits for an event before it, oldest first. */
  async held(): Promise<HeldKey[]> {
    const { sequence, groupId } = this.#options;
    return sequence ? sequence.store.held(groupId) : [];
  }

  async #release(held: Message | undefined, signal: AbortSignal): Promise<void> {
    let current = held;
    try {
      while (current) current = (await this.#apply(current, signal)).next;
    } catch (error) {
      if (classify(error) === 'transient' || signal.aborted) throw error;
      await this.#options.park(letterFor(current!, error));
      this.#tell(error, current!, 'dead letter');
    }
  }

  /** Handles an event whose turn it is, or keeps it. */
  async #apply(message: Message, signal: AbortSignal): Promise<Applied> {
    const { sequence, groupId, onHeld, onOld } = this.#options;
    const event = withProducer(parseEvent(message.value), message);
    if (!sequence?.topics.includes(message.topic) || sequenceOf(event) === undefined) {
      await this.#run(event, message, signal);
      return {};
    }
    const turn = await sequence.store.admit(groupId, event, placeOf(message));
    if (turn === 'held') onHeld(message);
    if (turn === 'old') onOld(message);
    if (turn === 'held') return { turn };
    await this.#run(event, message, signal);
    const next = await sequence.store.applied(groupId, event);
    return { turn, next: next && messageOf(next) };
  }

  async #run(event: Event, { topic, partition, offset }: Message, signal: AbortSignal): Promise<void> {
    const { handlers, around, tracing, groupId } = this.#options;
    const handler = handlers[topic]?.[event.type];
    if (!handler) return;
    const failures = this.#failures.get(`${topic}/${partition}`);
    const attempt = failures?.offset === offset ? failures.tries + 1 : 1;
    await tracing.process({ topic, partition, offset, groupId, event, attempt }, () =>
      around(event, () => handler(event, { signal })),
    );
  }

  /** 0 when the message is parked, else how long to wait before it is tried again. */
  async #failed(error: unknown, message: Message, signal: AbortSignal): Promise<number> {
    const failure = classify(error);
    const failures = this.#failuresOf(message);
    failures.tries += 1;
    // An outage that went before says nothing about the message.
    if (failure === 'unknown') failures.unknown += 1;
    const wrong = failure === 'poison' || failures.unknown >= this.#options.maxAttempts;
    // Whoever stops breaks off what is under way: that it failed now is not the message's fault either.
    const park = wrong && !signal.aborted;
    this.#tell(error, message, park ? 'dead letter' : `try ${failures.tries + 1}`);
    if (park && (await this.#park(letterFor(message, error)))) {
      this.#forget(message);
      return 0;
    }
    return pauseAfter(error, failures.tries, this.#options);
  }

  #failuresOf({ topic, partition, offset }: Message): Failures {
    const place = `${topic}/${partition}`;
    const known = this.#failures.get(place);
    if (known?.offset === offset) return known;
    const failures = { offset, tries: 0, unknown: 0 };
    this.#failures.set(place, failures);
    return failures;
  }

  #forget({ topic, partition, offset }: Message): void {
    const place = `${topic}/${partition}`;
    if (this.#failures.get(place)?.offset === offset) this.#failures.delete(place);
  }

  /** False when the broker did not take the dead letter: then the message stays where it is. */
  async #park(letter: DeadLetter): Promise<boolean> {
    try {
      await this.#options.park(letter);
      return true;
    } catch (error) {
      const { topic, partition, message } = letter;
      this.#tell(error, { topic, partition, offset: message.offset }, 'not parked, try again');
      return false;
    }
  }

  #tell(error: unknown, message: Place, outcome: string): void {
    this.#options.onError(error, { ...placeOf(message), outcome });
  }
}

const placeOf = ({ topic, partition, offset }: Place): Place => ({ topic, partition, offset });

function letterFor(message: Message, error: unknown): DeadLetter<Message> {
  return { topic: message.topic, partition: message.partition, message, error };
}

/** A held event, as if it came from the broker once more. */
function messageOf({ event, ...place }: HeldEvent): Message {
  return { ...place, key: Buffer.from(event.subject), value: Buffer.from(JSON.stringify(event)) };
}

/** The header has the span that sent the message; the event, which is a copy of the outbox row, that of the request. */
function withProducer(event: Event, { headers }: Message): Event {
  const traceparent = headers?.['traceparent']?.toString();
  return traceparent ? { ...event, traceparent } : event;
}
