import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { ownDatabase } from './database.fixture.ts';
import {
  appendToOutbox,
  createEvent,
  listenTo,
  OUTBOX_PARKING,
  OUTBOX_TABLE,
  outboxRow,
  OutboxRelay,
  OutboxSignal,
  sqlOutbox,
  type RelayOptions,
  type StoredRow,
} from './index.ts';
import { Broker } from './kafkajs/index.ts';

/** On a real PostgreSQL and a real broker, which `npm test` starts. */
const { db, url, open, close, somebodyWaits } = ownDatabase('outbox', OUTBOX_TABLE + OUTBOX_PARKING);
let broker: Broker;

beforeAll(async () => {
  await open();
  broker = new Broker({ brokers: process.env['KAFKA_BROKERS']!.split(','), clientId: 'outbox-test' });
});

afterAll(async () => {
  await broker.close();
  await close();
});

/** Stopped after each test, also after one that failed. */
const relays: OutboxRelay[] = [];
function relayOf(options: Partial<RelayOptions> = {}) {
  const relay = new OutboxRelay({ db, publish: async () => {}, ...options });
  relays.push(relay);
  return relay;
}

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  await db.query('DELETE FROM outbox; DELETE FROM outbox_lease');
});

const eventOf = (n: number, { key = 'a', topic = 'unused', text = '' } = {}) =>
  outboxRow(
    topic,
    createEvent({ type: 'n.v1', source: '/test', subject: key, data: { n, text }, time: new Date() }),
  );
const numbers = (rows: unknown[]) =>
  (rows as StoredRow[]).map(({ event }) => (event.data as { n: number }).n);

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`20 s without ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the store on PostgreSQL', () => {
  it('gives a new epoch with every change of hands, also after a release, and never one twice', async () => {
    const store = sqlOutbox(db);
    const epochs = [await store.lease('one', 60_000), await store.lease('one', 60_000)];
    expect(await store.lease('two', 60_000)).toBeUndefined();
    await store.release('one');
    epochs.push(await store.lease('two', 60_000));
    await store.release('two');
    epochs.push(await store.lease('one', 60_000));
    expect(epochs.map((lease) => lease?.epoch)).toEqual(['1', '1', '2', '3']);
  });

  it('reads, removes and parks nothing for whoever does not hold the lease', async () => {
    const store = sqlOutbox(db);
    await appendToOutbox(db, [eventOf(1)]);
    const { epoch } = (await store.lease('one', 60_000))!;
    const [row] = await store.read(1, 'one', epoch);
    for (const [holder, of] of [
      ['two', epoch],
      ['one', '99'],
    ] as const) {
      expect(await store.read(1, holder, of)).toEqual([]);
      expect(await store.remove([row!.id], holder, of)).toBe(0);
      expect(await store.park(row!.id, 'why', holder, of)).toBe(false);
    }
    expect(await store.remove([row!.id], 'one', epoch)).toBe(1);
  });

  it('makes a removal wait for a take-over under way, and then removes nothing', async () => {
    const store = sqlOutbox(db);
    await appendToOutbox(db, [eventOf(1)]);
    const { epoch } = (await store.lease('one', 60_000))!;
    const [row] = await store.read(1, 'one', epoch);
    const other = await db.connect();
    await other.query('BEGIN');
    await other.query(`UPDATE outbox_lease SET holder = 'two', epoch = epoch + 1`);
    const removed = store.remove([row!.id], 'one', epoch);
    await Promise.race([removed, somebodyWaits()]);
    await other.query('COMMIT');
    other.release();
    expect(await removed).toBe(0);
  });

  it('reads no more bytes at once than a request to the broker may have, and one event at least', async () => {
    const store = sqlOutbox(db, { batchBytes: 2500 });
    const text = 'x'.repeat(800);
    await appendToOutbox(
      db,
      [1, 2, 3].map((n) => eventOf(n, { text: n === 1 ? text.repeat(10) : text })),
    );
    const { epoch } = (await store.lease('one', 60_000))!;
    const first = await store.read(10, 'one', epoch);
    expect(numbers(first)).toEqual([1]);
    await store.remove(
      first.map(({ id }) => id),
      'one',
      epoch,
    );
    expect(numbers(await store.read(10, 'one', epoch))).toEqual([2, 3]);
  });

  it('counts what is parked apart from what waits', async () => {
    const store = sqlOutbox(db);
    await appendToOutbox(db, [eventOf(1), eventOf(2)]);
    const { epoch } = (await store.lease('one', 60_000))!;
    const [row] = await store.read(1, 'one', epoch);
    expect(await store.park(row!.id, 'too large', 'one', epoch)).toBe(true);
    expect(await store.stats()).toMatchObject({ depth: 1, parked: 1 });
    expect(numbers(await store.read(10, 'one', epoch))).toEqual([2]);
  });
});

describe('what the broker refuses for good', () => {
  it('is parked: an event above its limit, a topic with a name that none can have; what is behind goes on', async () => {
    const topic = `test-${randomUUID()}`;
    await broker.ensureTopics([topic], { partitions: 2 });
    await appendToOutbox(db, [
      eventOf(1, { topic }),
      eventOf(2, { topic, text: 'x'.repeat(1_100_000) }),
      eventOf(3, { topic }),
      eventOf(4, { topic: 'no such/name!' }),
      eventOf(5, { topic, key: 'b' }),
    ]);
    const published: number[] = [];
    const parked: [number, string][] = [];
    const relay = relayOf({
      publish: async (rows) => {
        await broker.publish(rows);
        published.push(...numbers(rows));
      },
      onParked: (row, error) => parked.push([numbers([row])[0]!, (error as Error).message.split(':')[0]!]),
    });
    await until('three events published', async () => {
      await relay.relayOnce();
      return published.length === 3;
    });
    expect(published).toEqual([1, 3, 5]);
    expect(parked).toEqual([
      [2, 'MESSAGE_TOO_LARGE'],
      [4, 'INVALID_TOPIC_EXCEPTION'],
    ]);
    expect(await relay.stats()).toEqual({ depth: 0, oldestAgeMs: 0, parked: 2 });
  }, 30_000);

  it('is not what it only does not take now: a topic that is missing waits', async () => {
    await appendToOutbox(db, [eventOf(1, { topic: `test-${randomUUID()}` })]);
    const relay = relayOf({ publish: (rows) => broker.publish(rows) });
    await expect(relay.relayOnce()).rejects.toThrow('does not host this topic-partition');
    expect(await relay.stats()).toMatchObject({ depth: 1, parked: 0 });
  });
});

describe('two relays', () => {
  it('keep the order of each key while they take over from each other, and lose no row', async () => {
    const published: { by: string; key: string; n: number }[] = [];
    const started = (by: string) => {
      const relay = relayOf({
        holder: by,
        batchSize: 7,
        pollMs: 1,
        publishMs: 50,
        leaseMs: 150,
        publish: async (rows) => {
          rows.forEach((row) => published.push({ by, key: row.key, n: numbers([row])[0]! }));
        },
      });
      relay.start();
      return relay;
    };
    const two = [started('one'), started('two')];
    let written = 0;
    let isOver = false;
    const write = async (key: string) => {
      for (let n = 0; !isOver; n++, written++) await appendToOutbox(db, [eventOf(n, { key })]);
    };
    const takeOvers = async () => {
      for (const by of ['one', 'two', 'one', 'two']) {
        const before = published.length;
        await until(`a row published by ${by}`, async () => {
          await db.query(`UPDATE outbox_lease SET expires_at = '-infinity' WHERE holder <> $1`, [by]);
          return published.slice(before).some((row) => row.by === by);
        });
      }
      isOver = true;
    };
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all([...keys.map(write), takeOvers()]);
    await until('an empty outbox', async () => (await two[0]!.stats()).depth === 0);
    await Promise.all(two.map((relay) => relay.stop()));
    const firsts = keys.map((key) => [
      ...new Set(published.filter((row) => row.key === key).map(({ n }) => n)),
    ]);
    for (const first of firsts) expect(first).toEqual(first.map((_, n) => n));
    expect(firsts.flat()).toHaveLength(written);
  }, 30_000);

  it('change hands at the end of the lease when one is gone without a word', async () => {
    await sqlOutbox(db).lease('gone', 600);
    await appendToOutbox(db, [eventOf(1)]);
    const published = Promise.withResolvers<void>();
    const publish = async () => published.resolve();
    const next = relayOf({ holder: 'next', leaseMs: 600, publishMs: 100, publish });
    next.start();
    await published.promise;
    const { rows } = await db.query('SELECT holder, epoch FROM outbox_lease');
    expect(rows).toEqual([{ holder: 'next', epoch: '2' }]);
  }, 30_000);
});

describe('LISTEN and NOTIFY', () => {
  const newClient = () => new pg.Client({ connectionString: url, application_name: 'outbox-listener' });
  const listening = `FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'outbox-listener' AND query LIKE 'LISTEN%' AND state = 'idle'`;

  it('wake a relay that would look in a minute only, also after their connection was cut', async () => {
    const published: number[] = [];
    const errors: unknown[] = [];
    const relay = relayOf({
      ...{ pollMs: 60_000, leaseMs: 180_000 },
      publish: async (rows) => void published.push(...numbers(rows)),
      listen: listenTo(newClient, { onError: (error) => errors.push(error) }),
    });
    const signal = new OutboxSignal({ db });
    relay.start();
    await appendToOutbox(db, [eventOf(1)]);
    signal.notify();
    await until('the first event', () => published.length === 1);
    const cut = `SELECT pg_terminate_backend(pid) ${listening}`;
    await until('a connection that listens', async () => (await db.query(cut)).rowCount === 1);
    // Nobody hears of this one. That the connection listens again is told instead.
    await appendToOutbox(db, [eventOf(2)]);
    await until('the second event', () => published.length === 2);
    expect(errors.length).toBeGreaterThan(0);
  }, 30_000);

  it('tell the next relay that the lease is free', async () => {
    const patient = (publish = async () => {}) =>
      relayOf({ pollMs: 60_000, leaseMs: 180_000, publish, listen: listenTo(newClient) });
    const first = patient();
    await first.relayOnce();
    const published = Promise.withResolvers<void>();
    const second = patient(async () => published.resolve());
    second.start();
    await until(
      'a connection that listens',
      async () => (await db.query(`SELECT ${listening}`)).rowCount === 1,
    );
    await appendToOutbox(db, [eventOf(1)]);
    await first.stop();
    await published.promise;
  }, 30_000);

  it('are one statement at a time, whatever the number of commits, and none while this process publishes', async () => {
    const statements: string[] = [];
    const answers: (() => void)[] = [];
    const slow = {
      query: (sql: string) => {
        statements.push(sql);
        return new Promise<unknown>((resolve) => answers.push(() => resolve([])));
      },
    };
    const signal = new OutboxSignal({ db: slow });
    for (let commits = 0; commits < 100; commits++) signal.notify();
    expect(statements).toHaveLength(1);
    answers.shift()!();
    await until('the one for the other 99', () => answers.length === 1);
    answers.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
    expect(statements).toHaveLength(2);
    new OutboxSignal({ db: slow, wake: () => true }).notify();
    expect(statements).toHaveLength(2);
  });
});
