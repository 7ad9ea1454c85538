import kafkajs, { type Admin, type Kafka, type Message, type Producer } from 'kafkajs';
import { EventConsumer, type ConsumerOptions } from './consumer.kafka.ts';
import { deadLetterTopic, letterOf, type DeadLetter } from './dead-letter.ts';
import { DeadLetters } from './dead-letters.kafka.ts';
import { lagOf, type Lag } from './lag.ts';
import type { OutboxRow } from './outbox.ts';
import { patchIdleTimers } from './timers.kafka.ts';
import { ensureTopics } from './topics.kafka.ts';
import { NOT_TRACED, type MessagingTracing } from './tracing.ts';

export type BrokerOptions = {
  brokers: string[];
  clientId: string;
  /** kafkajs' own log, from `warn` up. */
  onLog?: (line: { namespace: string; message: string; [field: string]: unknown }) => void;
  /** Makes spans of what is sent and handled. Default: nothing does. */
  tracing?: MessagingTracing;
  /** Takes secrets out of a text, before it goes to a dead-letter topic. Default: takes nothing out. */
  redact?: (text: string) => string;
};

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
  readonly #tracing: MessagingTracing;
  readonly #redact: (text: string) => string;
  #sending: Promise<unknown> = Promise.resolve();

  constructor({ brokers, clientId, onLog = () => {}, tracing, redact }: BrokerOptions) {
    patchIdleTimers();
    this.#tracing = tracing ?? NOT_TRACED;
    this.#redact = redact ?? ((text) => text);
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
    const sent = rows.map((row) => ({ row, span: this.#tracing.published(row) }));
    let failure: unknown;
    try {
      await this.#connect();
      const byTopic = Map.groupBy(sent, ({ row }) => row.topic);
      await this.#producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, ofTopic]) => ({
          topic,
          messages: ofTopic.map(({ row, span }) => messageOf(row, span?.traceparent)),
        })),
      });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      for (const { span } of sent) span?.end(failure);
    }
  }

  consumer(options: Omit<ConsumerOptions, 'kafka' | 'park' | 'tracing' | 'lag'>): EventConsumer {
    const { groupId, handlers } = options;
    return new EventConsumer({
      ...options,
      kafka: this.#kafka,
      tracing: this.#tracing,
      park: (letter) => this.#deadLetter(groupId, letter),
      lag: () => this.#lag(groupId, Object.keys(handlers)),
    });
  }

  async #deadLetter(groupId: string, letter: DeadLetter): Promise<void> {
    await this.#sendTo(deadLetterTopic(letter.topic), [letterOf(groupId, letter, this.#redact)]);
    this.#tracing.parked({ topic: letter.topic, groupId });
  }

  async #sendTo(topic: string, messages: Message[]): Promise<void> {
    await this.#connect();
    await this.#producer.send({ topic, acks: -1, messages });
  }

  async #lag(groupId: string, topics: string[]): Promise<Lag[]> {
    await this.#connectAdmin();
    const [committed, ...ends] = await Promise.all([
      this.#admin.fetchOffsets({ groupId, topics }),
      ...topics.map(async (topic) => ({ topic, partitions: await this.#admin.fetchTopicOffsets(topic) })),
    ]);
    return lagOf(committed, ends);
  }

  /**
   * Creates the topics, and a dead-letter topic for each, where they are missing; gives dead-letter topics of an earlier
   * version the configuration of today's, and keeps what is in them. Part of a service's `migrate`.
   */
  async ensureTopics(topics: string[], { partitions = 6, replicas = 1 } = {}): Promise<void> {
    await this.#connectAdmin();
    const send = (topic: string, messages: Message[]) => this.#sendTo(topic, messages);
    await ensureTopics({ kafka: this.#kafka, admin: this.#admin, send }, topics, { partitions, replicas });
  }

  /** What the consumer of this group could not handle of these topics, to be listed, replayed or dropped. */
  deadLetters(groupId: string, topics: string[]): DeadLetters {
    return new DeadLetters({
      kafka: this.#kafka,
      admin: async () => {
        await this.#connectAdmin();
        return this.#admin;
      },
      send: (topic, messages) => this.#sendTo(topic, messages),
      park: (letter) => this.#deadLetter(groupId, letter),
      ...{ groupId, topics },
    });
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
    this.#connected = undefined;
    this.#adminConnected = undefined;
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

function messageOf({ key, event }: OutboxRow, traceparent = event.traceparent) {
  return {
    key,
    value: JSON.stringify(event),
    headers: {
      'content-type': 'application/cloudevents+json',
      ...(event.correlationid && { correlationid: event.correlationid }),
      ...(traceparent && { traceparent }),
    },
  };
}
