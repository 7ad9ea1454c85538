import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import type { Lag } from './lag.ts';
import type { HeldKey } from './sequence.ts';

export type ConsumerStatus = 'starting' | 'joined' | 'crashed' | 'stopped';

/** A partition that stands still until its message is tried again; the others go on. */
export type Pause = { topic: string; partition: number; offset: string; pauseMs: number };

export type ConsumerOptions = DeliveryOptions & {
  kafka: Kafka;
  lag: () => Promise<Lag[]>;
  onPause?: (pause: Pause) => void;
  onResume?: (pause: Pause) => void;
  onCrash?: (error: Error) => void;
};

/** How long the partitions of a process that was killed stay without a consumer. */
const SESSION_TIMEOUT_MS = 6000;
const HEARTBEAT_MS = 2000;
const FIRST_REJOIN_MS = 200;
const STOP_DEADLINE_MS = 10_000;

const nothing = () => {};
const SILENT = { onError: nothing, onPause: nothing, onResume: nothing, onCrash: nothing };

/**
 * Hands each message to its handler and commits its offset afterwards: at least once. No error leaves it: kafkajs would
 * block the partition on a plain one and die of a TypeError. A message that fails for reasons around it pauses its own
 * partition and is tried again without end; one that is wrong itself goes to the dead-letter topic, and the partition
 * goes on.
 */
export class EventConsumer {
  /** Handles one message, from wherever it comes: a dead letter is replayed by it. */
  readonly delivery: Delivery;
  readonly #options: ConsumerOptions & Required<Pick<ConsumerOptions, 'maxBackoffMs' | keyof typeof SILENT>>;
  readonly #stop = new AbortController();
  #consumer: Consumer | undefined;
  #joining: Promise<void> | undefined;
  #status: ConsumerStatus = 'starting';

  constructor(options: ConsumerOptions) {
    this.#options = { maxBackoffMs: 5000, ...SILENT, ...options };
    this.delivery = new Delivery(this.#options);
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

  /** What came too early and waits, by subject; nothing where no topic is ordered. @throws when the store does not answer */
  held(): Promise<HeldKey[]> {
    const { sequence, groupId } = this.#options;
    return sequence && !this.#stop.signal.aborted ? sequence.store.held(groupId) : Promise.resolve([]);
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
    const deadline = new Promise((resolve) => setTimeout(resolve, STOP_DEADLINE_MS).unref());
    await Promise.race([leave(), deadline]);
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
    this.#status = 'starting';
    this.#options.onError(error, { topic: '', partition: -1, offset: '', outcome: 'join again' });
    this.start();
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    for (const message of messages) {
      if (this.#stop.signal.aborted || !payload.isRunning() || payload.isStale()) return;
      const pauseMs = await this.delivery.handle(
        { topic, partition, ...message },
        this.#stop.signal,
        payload.heartbeat,
      );
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
}

/** What kafkajs itself would restart after. */
function isRetriable(error: Error & { retriable?: boolean }): boolean {
  if (error.name === 'KafkaJSNumberOfRetriesExceeded') return true;
  return error.cause instanceof Error ? isRetriable(error.cause) : error.retriable === true;
}
