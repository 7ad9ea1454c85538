import { appendToOutbox, createEvent, outboxRow, OutboxRelay, type OutboxRow } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import kafkajs from 'kafkajs';
import type pg from 'pg';
import type { Counted } from './rebalance-member.ts';
import type { Planned } from './rebalance-plan.ts';

/** Few rows a send, so that there are many acknowledgements to lose. */
const BATCH = 5;

/** From the outbox to the broker, through the door where acknowledgements are lost. */
export class Publisher {
  readonly #db: pg.Pool;
  readonly #topic: string;
  readonly #relay: OutboxRelay;
  readonly #close: () => Promise<void>;

  constructor(db: pg.Pool, { topic, door, serial }: { topic: string; door: string; serial: boolean }) {
    this.#db = db;
    this.#topic = topic;
    const { publish, close } = serial ? oneAtATime(door) : allAtOnce(door);
    this.#close = close;
    this.#relay = new OutboxRelay({ db, publish, batchSize: BATCH, pollMs: 10 });
    this.#relay.start();
  }

  async put({ subject, n }: Planned, more: Omit<Counted, 'n'> = {}, id?: string): Promise<void> {
    const data: Counted = { n, ...more };
    const event = createEvent({
      type: 'counted.v1',
      source: '/chaos',
      subject,
      sequence: n,
      data,
      time: new Date(),
      ...(id && { id }),
    });
    await appendToOutbox(this.#db, [outboxRow(this.#topic, event)]);
  }

  /** How many the broker has not acknowledged yet. */
  async waiting(): Promise<number> {
    return (await this.#relay.stats()).depth;
  }

  async stop(): Promise<void> {
    await this.#relay.stop();
    await this.#close();
  }
}

/** As @cairn/messaging does it. */
function oneAtATime(door: string) {
  const broker = new Broker({ brokers: [door], clientId: 'rebalance-publisher' });
  return { publish: (rows: OutboxRow[]) => broker.publish(rows), close: () => broker.close() };
}

/**
 * The naive form: kafkajs' idempotent producer, a send per row, all of them at the same moment. When an acknowledgement
 * is lost, the next send takes the lost one's sequence number, and the broker drops it as a double, saying yes.
 */
function allAtOnce(door: string) {
  const kafka = new kafkajs.Kafka({
    brokers: [door],
    clientId: 'rebalance-naive',
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 10, initialRetryTime: 50 },
  });
  const producer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  const connected = producer.connect();
  const send = async ({ topic, key, event }: OutboxRow) => {
    await connected;
    await producer.send({ topic, acks: -1, messages: [{ key, value: JSON.stringify(event) }] });
  };
  return {
    publish: async (rows: OutboxRow[]) => void (await Promise.all(rows.map(send))),
    close: () => producer.disconnect(),
  };
}
