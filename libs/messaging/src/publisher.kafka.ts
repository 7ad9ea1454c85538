import kafkajs, { type Kafka, type Message, type Producer } from 'kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import type { OutboxRow } from './outbox.ts';
import type { MessagingTracing } from './tracing.ts';

/** What the producer's client of kafkajs is made with. Sending gives up within `PUBLISH_MS`. */
export const IMPATIENT = {
  connectionTimeout: 1000,
  requestTimeout: 1500,
  // `Publisher` tries again itself, from the beginning. A retry inside kafkajs leaves out each broker that has answered,
  // also for a partition that has moved there since: its messages would be lost, and called sent.
  retry: { retries: 0 },
};

/** Whoever publishes knows by then: below `publishMs` of the relay, 2000. */
const PUBLISH_MS = 1900;

/** What failed fast, for instance since a leader is just being elected, is sent again for so long. */
const RETRY_FOR_MS = 1000;
const RETRY_AFTER_MS = 100;

/** These of the broker's answers stay the same whenever it is asked: https://kafka.apache.org/protocol#protocol_error_codes */
const FOR_GOOD = new Set([
  'MESSAGE_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TIMESTAMP',
  'INVALID_RECORD',
]);

/** The broker will never take this: no retry mends it. */
export class MessageRefusedError extends Error {
  readonly code = 'message_refused';
  readonly refused = true;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MessageRefusedError';
  }
}

/**
 * The producer. One send is in flight at a time and settles in bounded time; a send that fell silent takes its connections
 * with it. Not `idempotent`: with a lost acknowledgement kafkajs 2.2.4 can then drop a message. The inbox undoes doubles.
 */
export class Publisher {
  readonly #kafka: Kafka;
  readonly #tracing: MessagingTracing;
  #producer: Producer | undefined;
  #connected: Promise<Producer> | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  /** `kafka` is made with `IMPATIENT`. */
  constructor({ kafka, tracing }: { kafka: Kafka; tracing: MessagingTracing }) {
    this.#kafka = kafka;
    this.#tracing = tracing;
  }

  /**
   * Resolves when all in-sync replicas have acknowledged all rows.
   * @throws MessageRefusedError when the broker takes one of them never; any other error when it may, later
   */
  publish(rows: OutboxRow[]): Promise<void> {
    return this.#serially(async () => {
      const sent = rows.map((row) => ({ row, span: this.#tracing.published(row) }));
      let failure: unknown;
      try {
        const byTopic = Map.groupBy(sent, ({ row }) => row.topic);
        const topicMessages = [...byTopic].map(([topic, ofTopic]) => ({
          topic,
          messages: ofTopic.map(({ row, span }) => messageOf(row, span?.traceparent)),
        }));
        await this.#try((producer) => producer.sendBatch({ acks: -1, topicMessages }));
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        for (const { span } of sent) span?.end(failure);
      }
    });
  }

  /** The same for messages that are no events: dead letters. */
  send(topic: string, messages: Message[]): Promise<void> {
    return this.#serially(() => this.#try((producer) => producer.send({ topic, acks: -1, messages })));
  }

  /** Waits for the send in flight, then disconnects. */
  async close(): Promise<void> {
    await this.#sending;
    await this.#drop();
  }

  async #serially(sendIt: () => Promise<void>): Promise<void> {
    const latest = performance.now() + PUBLISH_MS;
    const work = () => {
      // Its caller knows by now that it failed, and may have sent it again, or have lost the lease.
      if (performance.now() >= latest) throw lateError();
      return sendIt();
    };
    const send = this.#sending.then(work);
    this.#sending = send.catch(() => undefined);
    await withinTime(send);
  }

  async #try(
    send: (producer: Producer) => Promise<unknown>,
    untilMs = performance.now() + RETRY_FOR_MS,
  ): Promise<void> {
    try {
      await send(await this.#connect());
    } catch (error) {
      if (isSilence(error)) void this.#drop();
      if (!isRetriable(error) || performance.now() + RETRY_AFTER_MS > untilMs)
        throw refusalOf(error) ?? error;
      await delay(RETRY_AFTER_MS);
      await this.#try(send, untilMs);
    }
  }

  #connect(): Promise<Producer> {
    const connect = async () => {
      const producer = this.#kafka.producer({
        allowAutoTopicCreation: false,
        maxInFlightRequests: 1,
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      });
      this.#producer = producer;
      await producer.connect();
      return producer;
    };
    this.#connected ??= connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#connected = this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }
}

/** kafkajs keeps a connection on which nothing is answered; TCP gives it up after a quarter of an hour. */
function isSilence(error: unknown): boolean {
  return causesOf(error).some(({ name }) => name === 'KafkaJSRequestTimeoutError');
}

function isRetriable(error: unknown): boolean {
  return causesOf(error).some(({ retriable }) => retriable === true);
}

function refusalOf(error: unknown): MessageRefusedError | undefined {
  const refusal = causesOf(error).find(({ type }) => FOR_GOOD.has(type ?? ''));
  return refusal && new MessageRefusedError(`${refusal.type}: ${refusal.message}`, { cause: error });
}

function causesOf(error: unknown): (Error & { type?: string; retriable?: boolean })[] {
  const found: Error[] = [];
  for (let cause = error; cause instanceof Error && found.length < 5; cause = cause.cause) found.push(cause);
  return found;
}

async function withinTime(send: Promise<void>): Promise<void> {
  const settled = new AbortController();
  const late = async () => {
    await delay(PUBLISH_MS, undefined, { signal: settled.signal });
    throw lateError();
  };
  try {
    await Promise.race([send, late()]);
  } finally {
    settled.abort();
  }
}

const lateError = () =>
  Object.assign(new Error(`the broker has not acknowledged within ${PUBLISH_MS} ms`), { transient: true });

/** @throws MessageRefusedError when the row is not one that a message can be made of */
function messageOf({ key, event }: OutboxRow, traceparent = event?.traceparent): Message {
  if (typeof event !== 'object' || event === null) throw new MessageRefusedError('the row has no event');
  return {
    key,
    value: JSON.stringify(event),
    headers: {
      'content-type': 'application/cloudevents+json',
      ...(event.correlationid && { correlationid: String(event.correlationid) }),
      ...(traceparent && { traceparent }),
    },
  };
}
