import {
  appendToOutbox,
  createEvent,
  listenTo,
  OUTBOX_PARKING,
  OUTBOX_TABLE,
  outboxRow,
  OutboxRelay,
  OutboxSignal,
  type OutboxRow,
} from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const TOPIC = 'bench-outbox';
const DATABASE = 'bench_outbox';

export type Parts = { db: pg.Pool; url: string; broker: Broker };

export async function openParts(postgresUrl: string, brokers: string[]): Promise<Parts> {
  const server = new pg.Client({ connectionString: postgresUrl });
  await server.connect();
  await server.query(`CREATE DATABASE ${DATABASE}`);
  await server.end();
  const url = Object.assign(new URL(postgresUrl), { pathname: `/${DATABASE}` }).href;
  const db = new pg.Pool({ connectionString: url, max: 16 });
  db.on('error', () => {}); // a query that needs the connection says so itself
  await db.query(OUTBOX_TABLE + OUTBOX_PARKING);
  const broker = new Broker({ brokers, clientId: 'bench' });
  await broker.ensureTopics([TOPIC]);
  return { db, url, broker };
}

/** About as long as an order with two lines. */
function anEvent(n: number): OutboxRow {
  const line = { sku: 'TEA-EARL-GREY', name: 'Earl Grey, loose leaf, 250 g', quantity: 2, unitPrice: 450 };
  const data = {
    n,
    orderId: `order-${n % 500}`,
    email: 'ada@example.com',
    currency: 'EUR',
    lines: [line, line],
  };
  const subject = data.orderId;
  return outboxRow(
    TOPIC,
    createEvent({ type: 'benched.v1', source: '/bench', subject, data, time: new Date() }),
  );
}

/** Events a second from a full outbox to the broker's acknowledgement, one relay with its defaults. */
export async function throughput({ db, broker }: Parts, events: number): Promise<number> {
  for (let n = 0; n < events; n += 1000)
    await appendToOutbox(
      db,
      Array.from({ length: 1000 }, (_, i) => anEvent(n + i)),
    );
  let published = 0;
  const done = Promise.withResolvers<void>();
  const relay = new OutboxRelay({
    db,
    publish: (rows) => broker.publish(rows),
    onPublished: (count) => (published += count) >= events && done.resolve(),
  });
  const began = performance.now();
  relay.start();
  await done.promise;
  const seconds = (performance.now() - began) / 1000;
  await relay.stop();
  return events / seconds;
}

/** From commit to handler in ms, sorted, at so many events a second that come whatever happens; polling, or with NOTIFY. */
export async function latencies(
  { db, url, broker }: Parts,
  { perSecond, seconds, notify }: { perSecond: number; seconds: number; notify: boolean },
): Promise<number[]> {
  const committed = new Map<string, number>();
  const handled = new Map<string, number>();
  const consumer = broker.consumer({
    groupId: `bench-${notify}-${process.pid}`,
    handlers: { [TOPIC]: { 'benched.v1': async ({ id }) => void handled.set(id, performance.now()) } },
  });
  const relay = new OutboxRelay({
    db,
    pollMs: 50,
    publish: (rows) => broker.publish(rows),
    ...(notify && { listen: listenTo(() => new pg.Client({ connectionString: url })) }),
  });
  // As in a process that does not publish itself: the harder case.
  const signal = new OutboxSignal({ db });
  consumer.start();
  relay.start();
  while (consumer.status !== 'joined') await delay(50);
  const write = async (row: OutboxRow) => {
    await appendToOutbox(db, [row]);
    committed.set(row.event.id, performance.now());
    if (notify) signal.notify();
  };
  const total = perSecond * seconds;
  const warmUp = Math.floor(total / 4);
  const counted = new Set<string>();
  const writes: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < total; n++) {
    const due = began + (n * 1000) / perSecond;
    if (due > performance.now()) await delay(due - performance.now());
    const row = anEvent(n);
    if (n >= warmUp) counted.add(row.event.id);
    writes.push(write(row));
  }
  await Promise.all(writes);
  const deadline = performance.now() + 20_000;
  while ([...counted].some((id) => !handled.has(id))) {
    if (performance.now() > deadline) throw new Error('not every event arrived within 20 s');
    await delay(100);
  }
  await Promise.all([consumer.stop(), relay.stop()]);
  return [...counted].map((id) => Math.max(0, handled.get(id)! - committed.get(id)!)).sort((a, b) => a - b);
}

export type Telling = 'nobody' | 'NOTIFY in a trigger' | 'NOTIFY after the commit';

/** Commits a second of 16 writers, by how relays are told of them. */
export async function commits({ db }: Parts, telling: Telling, seconds: number): Promise<number> {
  await db.query(`TRUNCATE outbox; DROP TRIGGER IF EXISTS tell ON outbox`);
  if (telling === 'NOTIFY in a trigger')
    await db.query(`
      CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$;
      CREATE TRIGGER tell AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tell()`);
  const signal = new OutboxSignal({ db });
  let count = 0;
  const until = performance.now() + seconds * 1000;
  const writer = async () => {
    while (performance.now() < until) {
      await appendToOutbox(db, [anEvent(count++)]);
      if (telling === 'NOTIFY after the commit') signal.notify();
    }
  };
  await Promise.all(Array.from({ length: 16 }, writer));
  await db.query(`TRUNCATE outbox; DROP TRIGGER IF EXISTS tell ON outbox`);
  return count / seconds;
}
