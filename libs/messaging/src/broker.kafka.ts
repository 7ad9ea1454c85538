import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs';
import { EventConsumer, type ConsumerOptions, type DeadLetter } from './consumer.kafka.ts';
import { patchIdleTimers } from './timers.kafka.ts';
import type { OutboxRow } from './outbox.ts';

export type BrokerOptions = {
  brokers: string[];
  clientId: string;
  /** kafkajs' own log, from `warn` up. */
  onLog?: (line: { namespace: string; message: string; [field: string]: unknown }) => void;
};

/** Where messages go that no retry can mend. */
export const deadLetterTopic = (topic: string) => `${topic}.dead-letter`;

/**
 * The only place that knows kafkajs, which has had no release since 2023: what replaces it one day is written here and
 * in `consumer.kafka.ts`.
 */
export class Broker {
  readonly #kafka: Kafka;
  readonly #producer: Producer;
  readonly #admin: Admin;
  #connected: Promise<unknown> | undefined;
  #adminConnected: Promise<void> | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  constructor({ brokers, clientId, onLog = () => {} }: BrokerOptions) {
    patchIdleTimers();
    const common = {
      brokers,
      clientId,
      logLevel: kafkajs.logLevel.WARN,
      logCreator: () => (entry: { namespace: string; log: { message: string; [field: string]: unknown } }) =>
        onLog({ namespace: entry.namespace, ...entry.log }),
    };
    this.#kafka = new kafkajs.Kafka({ ...common, connectionTimeout: 3000 });
    // Publishing gives up within the relay's lease; the outbox keeps what was not acknowledged.
    const impatient = new kafkajs.Kafka({
      ...common,
      connectionTimeout: 1000,
      requestTimeout: 1500,
      retry: { retries: 1, initialRetryTime: 100 },
    });
    // Not `idempotent`: with a lost acknowledgement it can drop a message. One send at a time, and the inbox.
    this.#producer = impatient.producer({
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    this.#admin = this.#kafka.admin();
  }

  /** Resolves when all in-sync replicas have acknowledged all rows. One call at a time goes to the broker. */
  async publish(rows: OutboxRow[]): Promise<void> {
    const send = this.#sending.then(() => this.#send(rows));
    this.#sending = send.catch(() => undefined);
    await send;
  }

  async #send(rows: OutboxRow[]): Promise<void> {
    await this.#connect();
    const byTopic = Map.groupBy(rows, (row) => row.topic);
    await this.#producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, ofTopic]) => ({
        topic,
        messages: ofTopic.map(({ key, event }) => ({
          key,
          value: JSON.stringify(event),
          headers: {
            'content-type': 'application/cloudevents+json',
            ...(event.correlationid && { correlationid: event.correlationid }),
            ...(event.traceparent && { traceparent: event.traceparent }),
          },
        })),
      })),
    });
  }

  consumer(options: Omit<ConsumerOptions, 'kafka' | 'deadLetter'>): EventConsumer {
    return new EventConsumer({
      ...options,
      kafka: this.#kafka,
      deadLetter: (letter) => this.#deadLetter(options.groupId, letter),
    });
  }

  async #deadLetter(groupId: string, { topic, partition, message, error }: DeadLetter): Promise<void> {
    await this.#connect();
    await this.#producer.send({
      topic: deadLetterTopic(topic),
      acks: -1,
      messages: [
        {
          key: message.key,
          value: message.value,
          headers: {
            ...message.headers,
            'dead-letter-consumer': groupId,
            'dead-letter-from': `${topic}/${partition}/${message.offset}`,
            'dead-letter-reason': error instanceof Error ? error.message : String(error),
          },
        },
      ],
    });
  }

  /** Creates the topics, and a dead-letter topic for each, where they are missing. Part of a service's `migrate`. */
  async ensureTopics(topics: string[], { partitions = 6, replicas = 1 } = {}): Promise<void> {
    await this.#connectAdmin();
    const existing = new Set(await this.#admin.listTopics());
    const wanted = topics.flatMap((topic) => [
      { topic, numPartitions: partitions, replicationFactor: replicas },
      { topic: deadLetterTopic(topic), numPartitions: 1, replicationFactor: replicas },
    ]);
    const missing = wanted.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return;
    // kafkajs' own waitForLeaders fails when the broker has not yet heard of what its controller has just made.
    await this.#admin.createTopics({ topics: missing, waitForLeaders: false });
    await this.#untilKnown(missing.map(({ topic }) => topic));
  }

  async #untilKnown(topics: string[]): Promise<void> {
    for (let left = 100; ; left--) {
      try {
        await this.#admin.fetchTopicMetadata({ topics });
        return;
      } catch (error) {
        if (left === 0 || (error as { retriable?: boolean }).retriable !== true) throw error;
        await delay(100);
      }
    }
  }

  /** Rejects when the broker does not answer. */
  async ping(): Promise<void> {
    await this.#connectAdmin();
    await this.#admin.describeCluster();
  }

  /** Waits for the send in flight, then disconnects. */
  async close(): Promise<void> {
    await this.#sending;
    await Promise.allSettled([this.#producer.disconnect(), this.#admin.disconnect()]);
  }

  #connect(): Promise<unknown> {
    this.#connected ??= this.#producer.connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  #connectAdmin(): Promise<void> {
    this.#adminConnected ??= this.#admin.connect().catch((error: unknown) => {
      this.#adminConnected = undefined;
      throw error;
    });
    return this.#adminConnected;
  }
}
