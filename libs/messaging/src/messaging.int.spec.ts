import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ownDatabase } from './database.fixture.ts';
import {
  appendToOutbox,
  claimMessage,
  createEvent,
  InvalidEventError,
  outboxRow,
  OutboxRelay,
  OUTBOX_PARKING,
  OUTBOX_TABLE,
  INBOX_TABLE,
  type Event,
  type Handler,
} from './index.ts';
import { Broker, type EventConsumer, type Pause } from './kafkajs/index.ts';

/** On a real PostgreSQL and a real broker, which `npm test` starts. */
const { db, open, close } = ownDatabase('messaging', OUTBOX_TABLE + OUTBOX_PARKING + INBOX_TABLE);
/** Stopped after each test, also after one that failed. */
const started: { stop(): Promise<void> }[] = [];
let broker: Broker;

beforeAll(async () => {
  await open();
  broker = new Broker({ brokers: process.env['KAFKA_BROKERS']!.split(','), clientId: 'messaging-test' });
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop()));
  await db.query('DELETE FROM outbox; DELETE FROM outbox_lease');
});

afterAll(async () => {
  await broker.close();
  await close();
});

const eventOf = (topic: string, key: string, n: number) =>
  outboxRow(
    topic,
    createEvent({ type: 'counted.v1', source: '/test', subject: key, data: { n }, time: new Date() }),
  );

async function newTopic(): Promise<string> {
  const topic = `test-${randomUUID()}`;
  await broker.ensureTopics([topic], { partitions: 3 });
  return topic;
}

/** Consumes a topic into a list, each event once, as an inbox would; `until` waits for a number of events. */
function collect(
  topic: string,
  handle: Handler = async () => {},
  options: Partial<Parameters<Broker['consumer']>[0]> = {},
) {
  const events: Event<{ n: number }>[] = [];
  let wake = () => {};
  const handler: Handler = async (event, work) => {
    await handle(event, work);
    // Delivery is at least once: a send whose acknowledgement is late is repeated.
    if (events.some(({ id }) => id === event.id)) return;
    events.push(event as Event<{ n: number }>);
    wake();
  };
  const consumer: EventConsumer = broker.consumer({
    groupId: `test-${randomUUID()}`,
    handlers: { [topic]: { 'counted.v1': handler } },
    ...options,
  });
  consumer.start();
  started.push(consumer);
  const until = async (count: number) => {
    while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return events;
  };
  return { until, consumer };
}

describe('outbox and relay', () => {
  it('publishes what was committed, nothing that was rolled back, and deletes it afterwards', async () => {
    const topic = await newTopic();
    const client = await db.connect();
    await client.query('BEGIN');
    await appendToOutbox(client, [eventOf(topic, 'a', 1)]);
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await appendToOutbox(client, [eventOf(topic, 'a', 2)]);
    await client.query('COMMIT');
    client.release();
    const relay = new OutboxRelay({ db, publish: (rows) => broker.publish(rows) });
    expect(await relay.relayOnce()).toBe(1);
    const { until } = collect(topic);
    expect((await until(1)).map(({ data }) => data.n)).toEqual([2]);
    expect((await db.query('SELECT FROM outbox')).rowCount).toBe(0);
  }, 30_000);

  it('keeps rows that the broker did not take', async () => {
    const relay = new OutboxRelay({ db, publish: () => Promise.reject(new Error('broker away')) });
    await appendToOutbox(db, [eventOf('unused', 'a', 1)]);
    await expect(relay.relayOnce()).rejects.toThrow('broker away');
    expect((await db.query('SELECT FROM outbox')).rowCount).toBe(1);
  });

  it('lets one relay publish at a time, and another take over when its lease has ended', async () => {
    const published: string[] = [];
    const relayOf = (who: string) =>
      new OutboxRelay({
        db,
        leaseMs: 60_000,
        publish: async (rows) => void rows.forEach(() => published.push(who)),
      });
    const [first, second] = [relayOf('first'), relayOf('second')];
    await appendToOutbox(db, [eventOf('unused', 'a', 1)]);
    await first.relayOnce();
    expect(await second.relayOnce()).toBe(0);
    // The clock of the lease is the database's.
    await db.query('UPDATE outbox_lease SET expires_at = now()');
    await appendToOutbox(db, [eventOf('unused', 'a', 2)]);
    expect(await second.relayOnce()).toBe(1);
    expect(await first.relayOnce()).toBe(0);
    expect(published).toEqual(['first', 'second']);
  });

  it('does not delete rows when it was paused past its lease while it published', async () => {
    const usurper = new OutboxRelay({ db, publish: async () => {} });
    const paused = new OutboxRelay({
      db,
      publish: async () => {
        // As after a SIGSTOP: somebody else holds the lease by the time the send returns.
        await db.query('UPDATE outbox_lease SET expires_at = now()');
        await db.query(`INSERT INTO outbox_lease (holder, epoch, expires_at) VALUES ('other', 9, now() + interval '1 min')
                        ON CONFLICT (only_row) DO UPDATE SET holder = 'other', epoch = 9, expires_at = now() + interval '1 min'`);
      },
    });
    await appendToOutbox(db, [eventOf('unused', 'a', 1)]);
    await paused.relayOnce();
    expect((await db.query('SELECT FROM outbox')).rowCount).toBe(1);
    expect(await usurper.relayOnce()).toBe(0);
  });

  it('keeps the order of each key while several writers commit', async () => {
    const topic = await newTopic();
    const { until } = collect(topic);
    const relay = new OutboxRelay({ db, publish: (rows) => broker.publish(rows), pollMs: 1, batchSize: 7 });
    relay.start();
    started.push(relay);
    const writer = async (key: string) => {
      for (let n = 0; n < 50; n++) await appendToOutbox(db, [eventOf(topic, key, n)]);
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(writer));
    const events = await until(200);
    for (const key of ['a', 'b', 'c', 'd']) {
      const numbers = events.filter(({ subject }) => subject === key).map(({ data }) => data.n);
      expect(numbers).toEqual(Array.from({ length: 50 }, (_, n) => n));
    }
  }, 30_000);
});

describe('inbox', () => {
  it('gives a message to one of two transactions that want it at the same moment', async () => {
    const claims = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const client = await db.connect();
        try {
          await client.query('BEGIN');
          const mine = await claimMessage(client, 'test', 'message-1');
          await client.query('COMMIT');
          return mine;
        } finally {
          client.release();
        }
      }),
    );
    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  it('gives a message again when the transaction that had it was rolled back', async () => {
    const client = await db.connect();
    await client.query('BEGIN');
    expect(await claimMessage(client, 'test', 'message-2')).toBe(true);
    await client.query('ROLLBACK');
    client.release();
    expect(await claimMessage(db, 'test', 'message-2')).toBe(true);
  });
});

describe('a consumer', () => {
  const failing = (times: number, error: () => Error): Handler => {
    const left = new Map<string, number>();
    return async ({ id }) => {
      const still = left.get(id) ?? times;
      left.set(id, still - 1);
      if (still > 0) throw error();
    };
  };
  const transient = () => Object.assign(new Error('gateway away'), { transient: true });

  it('tries again without end while something around it is away, and loses nothing', async () => {
    const topic = await newTopic();
    const { until } = collect(topic, failing(3, transient), { maxAttempts: 1 });
    await broker.publish([eventOf(topic, 'a', 1), eventOf(topic, 'a', 2)]);
    expect((await until(2)).map(({ data }) => data.n)).toEqual([1, 2]);
  }, 30_000);

  it('pauses its partition for as long as the failure says, and no other; then it goes on by itself', async () => {
    const topic = await newTopic();
    const open = Object.assign(new Error('circuit open'), { transient: true, retryAfterMs: 1500 });
    const tries: number[] = [];
    const paused: Pause[] = [];
    const resumed: Pause[] = [];
    let otherIsHandled = false;
    const handle: Handler = async ({ subject }) => {
      if (subject !== 'a') return void (otherIsHandled = true);
      tries.push(performance.now());
      if (tries.length === 1 || !otherIsHandled) throw new Error('not charged', { cause: open });
    };
    const { until } = collect(topic, handle, {
      onPause: (pause) => paused.push(pause),
      onResume: (pause) => resumed.push(pause),
    });
    // Of three partitions, these two keys have one each.
    await broker.publish([eventOf(topic, 'a', 1), eventOf(topic, 'a', 2), eventOf(topic, 'b', 3)]);
    expect((await until(3)).map(({ data }) => data.n)).toEqual([3, 1, 2]);
    const pause = { topic, partition: expect.any(Number), offset: '0', pauseMs: 1500 };
    expect(paused).toEqual(paused.map(() => pause));
    expect(paused.length).toBeGreaterThan(0);
    expect(resumed).toEqual(paused);
    expect(tries[1]! - tries[0]!).toBeGreaterThanOrEqual(1499);
  }, 30_000);

  it('does not take the tries of an outage for tries of a bug', async () => {
    const topic = await newTopic();
    const failures = [transient(), transient(), transient(), new TypeError('bad luck')];
    const outcomes: string[] = [];
    const { until } = collect(
      topic,
      async () => {
        const failure = failures.shift();
        if (failure) throw failure;
      },
      { maxAttempts: 2, maxBackoffMs: 1, onError: (_, { outcome }) => outcomes.push(outcome) },
    );
    await broker.publish([eventOf(topic, 'a', 1)]);
    await until(1);
    expect(outcomes).toEqual(['try 2', 'try 3', 'try 4', 'try 5']);
  }, 30_000);

  it('parks nothing that it breaks off itself when it stops', async () => {
    const topic = await newTopic();
    const groupId = `test-${randomUUID()}`;
    const started = Promise.withResolvers<void>();
    const outcomes: string[] = [];
    const untilStopped: Handler = (_, { signal }) => {
      started.resolve();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('stopping', 'AbortError')));
      });
    };
    const { consumer } = collect(topic, untilStopped, {
      groupId,
      maxAttempts: 1,
      onError: (_, { outcome }) => outcomes.push(outcome),
    });
    await broker.publish([eventOf(topic, 'a', 1)]);
    await started.promise;
    await consumer.stop();
    expect(outcomes).toEqual(['try 2']);
    const next = collect(topic, undefined, { groupId });
    expect((await next.until(1)).map(({ data }) => data.n)).toEqual([1]);
  }, 30_000);

  it.each([
    ['a TypeError', () => new TypeError('undefined is not a function')],
    ['an event that does not fit', () => new InvalidEventError('no such field')],
  ])(
    'parks a message that ends in %s and goes on with the next',
    async (_, error) => {
      const topic = await newTopic();
      const handle: Handler = async ({ data }) => {
        if ((data as { n: number }).n === 1) throw error();
      };
      const { until, consumer } = collect(topic, handle, { maxAttempts: 2 });
      await broker.publish([eventOf(topic, 'a', 1), eventOf(topic, 'a', 2)]);
      expect((await until(1)).map(({ data }) => data.n)).toEqual([2]);
      const parked = collect(`${topic}.dead-letter`);
      expect((await parked.until(1)).map(({ data }) => data.n)).toEqual([1]);
      expect(consumer.status).toBe('joined');
    },
    30_000,
  );
});
