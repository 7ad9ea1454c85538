import { listenTo, OutboxRelay, sqlOutbox, type OutboxStore, type StoredRow } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

export type RelayProcess = {
  /** Its name in the lease and on its connections, by which the database sees who removes what. */
  name: string;
  databaseUrl: string;
  brokers: string[];
  without?: string;
};

/** A relay in a process of its own, as a service has one. */
function start({ name, databaseUrl, brokers, without }: RelayProcess): () => Promise<void> {
  const connection = { connectionString: databaseUrl, application_name: name };
  const db = new pg.Pool({ ...connection, max: 3, connectionTimeoutMillis: 3000 });
  db.on('error', () => {}); // a query that needs the connection says so itself
  const broker = new Broker({ brokers, clientId: name });
  const say = (error: unknown) => console.error(String(error));
  if (without === 'lease') {
    void shareOut(db, broker, say);
    return async () => {};
  }
  const relay = new OutboxRelay({
    store: without === 'epoch' ? withoutEpoch(db) : sqlOutbox(db),
    holder: name,
    batchSize: 50,
    pollMs: 50,
    publish: (rows) => broker.publish(rows),
    listen: listenTo(() => new pg.Client(connection), { onError: say }),
    onError: say,
    // Nor does it look at the clock: it goes on where it was.
    ...(without === 'epoch' && { now: () => 0 }),
  });
  relay.start();
  return async () => {
    await relay.stop();
    await broker.close();
    await db.end();
  };
}

/** The control: whoever once had the lease reads and removes. */
function withoutEpoch(db: pg.Pool): OutboxStore {
  const read = 'SELECT id, topic, key, event FROM outbox WHERE parked_at IS NULL ORDER BY id LIMIT $1';
  return {
    ...sqlOutbox(db),
    read: async (limit) => (await db.query<StoredRow>(read, [limit])).rows,
    remove: async (ids) =>
      (await db.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [ids])).rowCount ?? 0,
  };
}

/** The control: relays share the rows out, each of them those that no other has locked. */
async function shareOut(db: pg.Pool, broker: Broker, say: (error: unknown) => void): Promise<never> {
  for (;;) {
    const tx = await db.connect();
    try {
      await tx.query('BEGIN');
      const sql = 'SELECT id, topic, key, event FROM outbox ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED';
      const { rows } = await tx.query<StoredRow>(sql);
      // One relay is a little slower than the other, as they always are.
      await delay(Math.random() * 30);
      if (rows.length > 0) await broker.publish(rows);
      await tx.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [rows.map(({ id }) => id)]);
      await tx.query('COMMIT');
      if (rows.length === 0) await delay(5);
    } catch (error) {
      say(error);
      await tx.query('ROLLBACK').catch(say);
    } finally {
      tx.release();
    }
  }
}

const stop = start(JSON.parse(process.argv[2]!) as RelayProcess);
process.once('SIGTERM', () => void stop().then(() => process.exit(0)));
