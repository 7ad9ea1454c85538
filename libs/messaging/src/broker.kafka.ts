import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { EventConsumer, type ConsumerOptions } from './consumer.kafka.ts';
import { deadLetterTopic, letterOf, type DeadLetter } from './dead-letter.ts';
import { DeadLetters } from './dead-letters.kafka.ts';
import { lagOf, type Lag } from './lag.ts';
import type { OutboxRow } from './outbox.ts';
import { IMPATIENT, Publisher } from './publisher.kafka.ts';
import { patchIdleTimers } from './timers.kafka.ts';
import { ensureTopics } from './topics.kafka.ts';
import { NOT_TRACED, type MessagingTracing } from './tracing.ts';

export type BrokerOptions = {
  brokers: string[];
  clientId: string;
  /** Whether connections are encrypted, and the brokers' certificates checked against those that Node trusts. Default: false. */
  tls?: boolean;
  /** kafkajs' own log, from `warn` up. */
  onLog?: (line: { namespace: string; message: string; [field: string]: unknown }) => void;
  /** Makes spans of what is sent and handled. Default: nothing does. */
  tracing?: MessagingTracing;
  /** Takes secrets out of a text, before it goes to a dead-letter topic. Default: takes nothing out. */
  redact?: (text: string) => string;
};

/**
 * The only place that knows kafkajs, which has had no release since 2023: what replaces it one day is written here and
 * in the other `*.kafka.ts`.
 */
export class Broker {
  readonly #kafka: Kafka;
  readonly #publisher: Publisher;
  readonly #admin: Admin;
  #adminConnected: Promise<void> | undefined;
  readonly #tracing: MessagingTracing;
  readonly #redact: (text: string) => string;

  constructor({ brokers, clientId, tls = false, onLog = () => {}, tracing, redact }: BrokerOptions) {
    patchIdleTimers();
    this.#tracing = tracing ?? NOT_TRACED;
    this.#redact = redact ?? ((text) => text);
    const common = {
      brokers,
      clientId,
      ssl: tls,
      logLevel: kafkajs.logLevel.WARN,
      logCreator: () => (entry: { namespace: string; log: { message: string; [field: string]: unknown } }) =>
        onLog({ namespace: entry.namespace, ...entry.log }),
    };
    this.#kafka = new kafkajs.Kafka({ ...common, connectionTimeout: 3000 });
    const impatient = new kafkajs.Kafka({ ...common, ...IMPATIENT });
    this.#publisher = new Publisher({ kafka: impatient, tracing: this.#tracing });
    this.#admin = this.#kafka.admin();
  }

  /**
   * Resolves when all in-sync replicas have acknowledged all rows; settles within 2 s. One call at a time goes to the broker.
   * @throws MessageRefusedError when the broker takes one of them never; any other error when it may, later
   */
  publish(rows: OutboxRow[]): Promise<void> {
    return this.#publisher.publish(rows);
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
    await this.#publisher.send(deadLetterTopic(letter.topic), [letterOf(groupId, letter, this.#redact)]);
    this.#tracing.parked({ topic: letter.topic, groupId });
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
    const send = this.#publisher.send.bind(this.#publisher);
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
      send: (topic, messages) => this.#publisher.send(topic, messages),
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
    await Promise.allSettled([this.#publisher.close(), this.#admin.disconnect()]);
    this.#adminConnected = undefined;
  }

  #connectAdmin(): Promise<void> {
    this.#adminConnected ??= this.#admin.connect().catch((error: unknown) => {
      this.#adminConnected = undefined;
      throw error;
    });
    return this.#adminConnected;
  }
}
