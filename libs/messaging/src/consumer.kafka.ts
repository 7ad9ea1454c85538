import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { parseEvent, type Event } from './event.ts';
import type { DeadLetter } from './dead-letter.ts';
import { classify, pauseAfter } from './failure.ts';
import type { Handlers } from './handler.ts';
import type { Lag } from './lag.ts';
import type { MessagingTracing } from './tracing.ts';

export type ConsumerStatus = 'starting' | 'joined' | 'crashed' | 'stopped';

/** A partition that stands still until its message is tried again; the others go on. */
export type Pause = { topic: string; partition: number; offset: string; pauseMs: number };

export type ConsumerOptions = {
  kafka: Kafka;
  groupId: string;
  handlers: Handlers;
  deadLetter: (letter: DeadLetter<KafkaMessage>) => Promise<void>;
  lag: () => Promise<Lag[]>;
  tracing: MessagingTracing;
  /** Wraps each handler, for instance to set the correlation context. */
  around?: (event: Event, handle: () => Promise<void>) => Promise<void>;
  /** Tries for a failure that may be a bug before the message is parked. Default 5. */
  maxAttempts?: number;
  /** Longest pause of a partition between two tries, in ms. Default 5000. */
  maxBackoffMs?: number;
  /** Longest pause for a failure that says itself when to come back (`retryAfterMs`), in ms. Default 60,000. */
  maxPauseMs?: number;
  onError?: (
    error: unknown,
    message: { topic: string; partition: number; offset: string; outcome: string },
  ) => void;
  onPause?: (pause: Pause) => void;
  onResume?: (pause: Pause) => void;
  onCrash?: (error: Error) => void;
};

/** How long the partitions of a process that was killed stay without a consumer. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2000;
const FIRST_REJOIN_MS = 200;
const STOP_DEADLINE_MS = 10_000;

/**
 * Hands each message to its handler and commits its offset afterwards: at least once. No error leaves it: kafkajs would
 * block the partition on a plain one and die of a TypeError. A message that fails for reasons around it pauses its own
 * partition and is tried again without end; one that is wrong itself goes to the dead-letter topic, and the partition
 * goes on.
 */
export class EventConsumer {
  readonly #options: Required<ConsumerOptions>;
  readonly #stop = new AbortController();
  /** By partition: how often its message has failed, and how often of these for no known reason. */
  readonly #failures = new Map<string, { tries: number; unknown: number }>();
  #consumer: Consumer | undefined;
  #joining: Promise<void> | undefined;
  #status: ConsumerStatus = 'starting';

  constructor(options: ConsumerOptions) {
    this.#options = {
      around: (_, handle) => handle(),
      maxAttempts: 5,
      maxBackoffMs: 5000,
      maxPauseMs: 60_000,
      onError: () => {},
      onPause: () => {},
      onResume: () => {},
      onCrash: () => {},
      ...options,
    };
  }

  get status(): ConsumerStatus {
    return this.#status;
  }

  /**
   * What waits in each partition of its topics, whichever member of the group has it; none once it is
   * stopped. Asks the broker, about 2 ms.
   * @throws when the broker does not answer
   */
  lag(): Promise<Lag[]> {
    // The last metrics are read when the broker's clients are closed already.
    return this.#stop.signal.aborted ? Promise.resolve([]) : this.#options.lag();
  }

  /** Joins the group in the background; a broker that is not there yet is waited for. */
  start(): void {
    this.#joining = this.#joinUntilIn();
  }

  /** Finishes the message in hand, commits, and leaves the group. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#status = 'stopped';
    // A member that left while it was still joining would stay in the group as a ghost, and hold up the next one.
    const leave = async () => {
      for (let joining; joining !== this.#joining;) await (joining = this.#joining);
      await this.#consumer?.disconnect();
    };
    // disconnect() can hang during a rebalance (https://github.com/tulios/kafkajs/issues/1462).
    await Promise.race([leave(), delay(STOP_DEADLINE_MS, undefined, { ref: false })]);
  }

  async #joinUntilIn(): Promise<void> {
    const { handlers, onError, maxBackoffMs } = this.#options;
    const topics = Object.keys(handlers);
    const { signal } = this.#stop;
    for (
      let backoffMs = FIRST_REJOIN_MS;
      !signal.aborted;
      backoffMs = Math.min(backoffMs * 2, maxBackoffMs)
    ) {
      this.#consumer = this.#newConsumer();
      try {
        await this.#consumer.connect();
        if (signal.aborted) return;
        await this.#consumer.subscribe({ topics, fromBeginning: true });
        return await this.#consumer.run({
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: 4,
          eachBatch: (payload) => this.#batch(payload),
        });
      } catch (error) {
        onError(error, { topic: topics.join(), partition: -1, offset: '', outcome: 'join again' });
        await this.#consumer.disconnect().catch(() => undefined);
        await delay(backoffMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #newConsumer(): Consumer {
    const consumer = this.#options.kafka.consumer({
      groupId: this.#options.groupId,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: 500,
      allowAutoTopicCreation: false,
      retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 2000, restartOnFailure: async () => false },
    });
    consumer.on(consumer.events.GROUP_JOIN, () => (this.#status = 'joined'));
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#crashed(payload.error));
    return consumer;
  }

  /**
   * kafkajs would join again by itself, on a timer that a disconnect() at the wrong moment does not stop: a ghost in
   * the group. So we do it, and give up on what it would give up on.
   */
  #crashed(error: Error): void {
    if (this.#stop.signal.aborted) return;
    if (!isRetriable(error)) {
      this.#status = 'crashed';
      this.#options.onCrash(error);
      return;
    }
    this.#options.onError(error, { topic: '', partition: -1, offset: '', outcome: 'join again' });
    this.start();
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    for (const message of messages) {
      if (this.#stop.signal.aborted || !payload.isRunning() || payload.isStale()) return;
      const pauseMs = await this.#message(topic, partition, message, payload.heartbeat);
      if (pauseMs > 0) {
        // Not resolved, so the partition goes on with this very message once it is resumed.
        this.#pause({ topic, partition, offset: message.offset, pauseMs }, payload.pause());
        return;
      }
      payload.resolveOffset(message.offset);
      await payload.heartbeat();
    }
  }

  #pause(pause: Pause, resume: () => void): void {
    const { onPause, onResume } = this.#options;
    onPause(pause);
    setTimeout(() => {
      resume();
      if (!this.#stop.signal.aborted) onResume(pause);
    }, pause.pauseMs).unref();
  }

  /** 0 when the message is done with, else how long to wait before it is tried again. */
  async #message(topic: string, partition: number, message: KafkaMessage, heartbeat: () => Promise<void>) {
    const place = `${topic}/${partition}`;
    try {
      await this.#handle(topic, partition, message, heartbeat);
      this.#failures.delete(place);
      return 0;
    } catch (error) {
      const failure = classify(error);
      const failures = this.#failures.get(place) ?? { tries: 0, unknown: 0 };
      failures.tries += 1;
      // An outage that went before says nothing about the message.
      if (failure === 'unknown') failures.unknown += 1;
      const wrong = failure === 'poison' || failures.unknown >= this.#options.maxAttempts;
      // Whoever stops breaks off what is under way: that it failed now is not the message's fault either.
      const park = wrong && !this.#stop.signal.aborted;
      const outcome = park ? 'dead letter' : `try ${failures.tries + 1}`;
      this.#options.onError(error, { topic, partition, offset: message.offset, outcome });
      if (park && (await this.#park({ topic, partition, message, error }))) {
        this.#failures.delete(place);
        return 0;
      }
      this.#failures.set(place, failures);
      return pauseAfter(error, failures.tries, this.#options);
    }
  }

  async #handle(
    topic: string,
    partition: number,
    message: KafkaMessage,
    heartbeat: () => Promise<void>,
  ): Promise<void> {
    const { handlers, around, tracing, groupId } = this.#options;
    const event = withProducer(parseEvent(message.value), message);
    const handler = handlers[topic]?.[event.type];
    if (!handler) return;
    const attempt = (this.#failures.get(`${topic}/${partition}`)?.tries ?? 0) + 1;
    // kafkajs sends heartbeats between messages only; a slow gateway must not cost us the partition.
    const timer = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
    try {
      const { offset } = message;
      await tracing.process({ topic, partition, offset, groupId, event, attempt }, () =>
        around(event, () => handler(event, { signal: this.#stop.signal })),
      );
    } finally {
      clearInterval(timer);
    }
  }

  /** False when the broker did not take the dead letter: then the message stays where it is. */
  async #park(letter: DeadLetter<KafkaMessage>): Promise<boolean> {
    try {
      await this.#options.deadLetter(letter);
      return true;
    } catch (error) {
      const { topic, partition, message } = letter;
      this.#options.onError(error, {
        topic,
        partition,
        offset: message.offset,
        outcome: 'not parked, try again',
      });
      return false;
    }
  }
}

/** The header has the span that sent the message; the event, which is a copy of the outbox row, that of the request. */
function withProducer(event: Event, { headers }: KafkaMessage): Event {
  const traceparent = headers?.['traceparent']?.toString();
  return traceparent ? { ...event, traceparent } : event;
}

/** What kafkajs itself would restart after. */
function isRetriable(error: Error & { retriable?: boolean }): boolean {
  if (error.name === 'KafkaJSNumberOfRetriesExceeded') return true;
  return error.cause instanceof Error ? isRetriable(error.cause) : error.retriable === true;
}
