import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ownDatabase } from './database.fixture.ts';
import {
  appendToOutbox,
  createEvent,
  InvalidEventError,
  outboxRow,
  OutboxRelay,
  OUTBOX_PARKING,
  OUTBOX_TABLE,
  type Event,
  type Handler,
  type MessagingTracing,
} from './index.ts';
import { Broker, type EventConsumer } from './kafkajs/index.ts';

/** Traces, lag, what waits in the outbox, and dead letters: on a real PostgreSQL and a real broker. */
const { db, open, close } = ownDatabase('messages', OUTBOX_TABLE + OUTBOX_PARKING);
const consumers: EventConsumer[] = [];
let broker: Broker;
let calls: string[] = [];
let parked = Promise.withResolvers<string>();

const REQUEST = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const SENT = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';
const PAN = '4111111111111111';

/** Writes down what it is told; sampled events get a span of their own. */
const tracing: MessagingTracing = {
  published: ({ topic, event, createdAt }) => {
    calls.push(`sends ${event.type} ${createdAt instanceof Date ? 'from the outbox' : ''}`.trim());
    if (!event.traceparent?.endsWith('-01') || !topic) return undefined;
    return {
      traceparent: SENT,
      end: (error?: unknown) => calls.push(error ? `failed: ${(error as Error).message}` : 'sent'),
    };
  },
  process: async ({ event, attempt, groupId, partition }, work) => {
    const is = `try ${attempt} of ${event.type} ${event.traceparent ?? ''}`.trim();
    expect(typeof partition).toBe('number');
    expect(groupId).toMatch(/^test-/);
    calls.push(is);
    return work();
  },
  parked: ({ groupId }) => parked.resolve(`parked of ${groupId.slice(0, 5)}`),
};

beforeAll(async () => {
  await open();
  broker = new Broker({
    brokers: process.env['KAFKA_BROKERS']!.split(','),
    clientId: 'messages-test',
    tracing,
    redact: (text) => text.replaceAll(PAN, '[card]'),
  });
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  await db.query('DELETE FROM outbox; DELETE FROM outbox_lease');
  calls = [];
  parked = Promise.withResolvers();
});

afterAll(async () => {
  await broker.close();
  await close();
});

const eventOf = (data: object, traceparent?: string) =>
  createEvent({
    ...{ type: 'counted.v1', source: '/test', subject: 'a', data, time: new Date() },
    context: { correlationId: 'corr-1234', ...(traceparent && { traceparent }) },
  });

async function newTopic(): Promise<string> {
  const topic = `test-${randomUUID()}`;
  await broker.ensureTopics([topic], { partitions: 2 });
  return topic;
}

/** Consumes a topic; resolves `count` with the events once so many were handled. */
function consume(topic: string, handle: Handler = async () => {}, groupId = `test-${randomUUID()}`) {
  const events: Event[] = [];
  let wake = () => {};
  const consumer = broker.consumer({
    groupId,
    maxAttempts: 2,
    handlers: {
      [topic]: {
        'counted.v1': async (event, work) => {
          await handle(event, work);
          events.push(event);
          wake();
        },
      },
    },
  });
  consumers.push(consumer);
  consumer.start();
  return {
    consumer,
    handled: async (count: number) => {
      while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return events;
    },
  };
}

describe('tracing', () => {
  it('goes from the outbox row over the header to the handler', async () => {
    const topic = await newTopic();
    const { handled } = consume(topic);
    await appendToOutbox(db, [outboxRow(topic, eventOf({}, REQUEST))]);
    const relay = new OutboxRelay({ db, publish: (rows) => broker.publish(rows) });
    await relay.relayOnce();
    const [event] = await handled(1);
    expect(event).toMatchObject({ traceparent: SENT, correlationid: 'corr-1234' });
    expect(calls).toEqual(['sends counted.v1 from the outbox', 'sent', `try 1 of counted.v1 ${SENT}`]);
    await relay.stop();
  }, 30_000);

  it('hands on what is not sampled as it is, and shows each try', async () => {
    const unsampled = REQUEST.replace(/01$/, '00');
    const topic = await newTopic();
    let tries = 0;
    const { handled } = consume(topic, async () => {
      if (++tries < 2) throw Object.assign(new Error('away'), { transient: true });
    });
    await broker.publish([outboxRow(topic, eventOf({}, unsampled))]);
    expect((await handled(1))[0]!.traceparent).toBe(unsampled);
    expect(calls).toEqual([
      'sends counted.v1',
      `try 1 of counted.v1 ${unsampled}`,
      `try 2 of counted.v1 ${unsampled}`,
    ]);
  }, 30_000);

  it('is told when the broker did not take a row', async () => {
    const row = outboxRow(`test-missing-${randomUUID()}`, eventOf({}, REQUEST));
    await expect(broker.publish([row])).rejects.toThrow();
    expect(calls).toEqual(['sends counted.v1', expect.stringMatching(/^failed: /)]);
  }, 30_000);
});

describe('a dead letter', () => {
  it('has no secret, says why and where it is from, and is told of', async () => {
    const topic = await newTopic();
    consume(topic, async () => {
      throw new InvalidEventError(`no such card ${PAN}`);
    });
    const [value, headers] = await new Promise<[string, Record<string, string>]>((resolve, reject) => {
      void broker.publish([outboxRow(topic, eventOf({ card: PAN }))]).catch(reject);
      void rawMessage(`${topic}.dead-letter`).then(resolve, reject);
    });
    expect(JSON.parse(value)).toMatchObject({ data: { card: '[card]' } });
    expect(headers).toMatchObject({
      'dead-letter-reason': 'no such card [card]',
      'dead-letter-from': expect.stringMatching(new RegExp(`^${topic}/[01]/0$`)),
      'dead-letter-redacted': 'true',
    });
    expect(await parked.promise).toBe('parked of test-');
  }, 30_000);
});

/** The first message of a topic as it is on the broker, headers and all. */
async function rawMessage(topic: string): Promise<[string, Record<string, string>]> {
  const { default: kafkajs } = await import('kafkajs');
  const kafka = new kafkajs.Kafka({
    brokers: process.env['KAFKA_BROKERS']!.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, allowAutoTopicCreation: false });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const message = await new Promise<[string, Record<string, string>]>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message: { value, headers = {} } }) => {
          const texts = Object.entries(headers).map(([header, text]) => [header, String(text)]);
          resolve([String(value), Object.fromEntries(texts) as Record<string, string>]);
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return message;
}

describe('how far behind', () => {
  it('a group is, partition by partition, even while none of it runs', async () => {
    const topic = await newTopic();
    const groupId = `test-${randomUUID()}`;
    await broker.publish([outboxRow(topic, eventOf({ n: 1 })), outboxRow(topic, eventOf({ n: 2 }))]);
    const idle = broker.consumer({ groupId, handlers: { [topic]: {} } });
    const sum = async () => (await idle.lag()).reduce((all, { lag }) => all + lag, 0);
    expect((await idle.lag()).map(({ topic: of, partition }) => [of, partition])).toEqual([
      [topic, 0],
      [topic, 1],
    ]);
    expect(await sum()).toBe(2);
    const { consumer, handled } = consume(topic, undefined, groupId);
    await handled(2);
    await consumer.stop();
    expect(await sum()).toBe(0);
  }, 30_000);

  it('the outbox is: how many rows, and how old the oldest is', async () => {
    const relay = new OutboxRelay({ db, publish: async () => {} });
    expect(await relay.stats()).toEqual({ depth: 0, oldestAgeMs: 0, parked: 0 });
    await appendToOutbox(db, [outboxRow('unused', eventOf({})), outboxRow('unused', eventOf({}))]);
    await db.query(
      `UPDATE outbox SET created_at = now() - interval '3 s' WHERE id = (SELECT max(id) FROM outbox)`,
    );
    const { depth, oldestAgeMs } = await relay.stats();
    expect(depth).toBe(2);
    expect(oldestAgeMs).toBeGreaterThanOrEqual(3000);
    expect(oldestAgeMs).toBeLessThan(60_000);
    await relay.relayOnce();
    expect(await relay.stats()).toEqual({ depth: 0, oldestAgeMs: 0, parked: 0 });
    await relay.stop();
  });
});
