import { appendToOutbox, createEvent, OUTBOX_PARKING, OUTBOX_TABLE, outboxRow } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Stack } from '../../stack/types.ts';
import type { RelayProcess } from './outbox-relay.ts';
import type { OutboxFacts } from './outbox-verdict.ts';

export type OutboxPlan = {
  writers: number;
  eventsEach: number;
  keys: number;
  /** Longest pause of a writer between two events, and of a transaction before its commit. */
  pauseMs: number;
  stoppedMs: number;
  random: () => number;
  without?: string;
  folder: string;
  signal: AbortSignal;
  onProgress: (text: string) => void;
};

const TOPIC = 'counted';
const DATABASE = 'chaos_outbox';
/** Everything that was committed has arrived by then, or never will. */
const SETTLE_MS = 30_000;

// Of every removal the database notes who removed and who held the lease.
const TABLES = `
  ${OUTBOX_TABLE}
  ${OUTBOX_PARKING}
  CREATE TABLE aggregate (key text PRIMARY KEY, version int NOT NULL DEFAULT 0);
  CREATE TABLE removal (who text, holder text, count int, at timestamptz);
  CREATE FUNCTION note_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO removal SELECT current_setting('application_name'), (SELECT holder FROM outbox_lease), count(*),
      clock_timestamp() FROM gone HAVING count(*) > 0;
    RETURN NULL;
  END $$;
  CREATE TRIGGER removed AFTER DELETE ON outbox REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_removal();`;

/** Writers, two relays of which the one that publishes is killed and later paused, and a consumer that writes all down. */
export class OutboxRun {
  readonly #plan: OutboxPlan;
  readonly #stack: Stack;
  readonly #db: pg.Pool;
  readonly #url: string;
  readonly #relays = new Map<string, ChildProcess>();
  readonly #facts: OutboxFacts = { written: {}, seen: [], takeOvers: [], usurped: 0, left: 0 };
  #committed = 0;

  constructor(plan: OutboxPlan, stack: Stack) {
    this.#plan = plan;
    this.#stack = stack;
    this.#url = Object.assign(new URL(stack.env['POSTGRES_URL']!), { pathname: `/${DATABASE}` }).href;
    this.#db = new pg.Pool({ connectionString: this.#url, max: plan.writers + 2 });
    this.#db.on('error', () => {}); // a query that needs the connection says so itself
  }

  async play(): Promise<OutboxFacts> {
    const broker = new Broker({ brokers: this.#brokers(), clientId: 'chaos-outbox' });
    await broker.ensureTopics([TOPIC]);
    await this.#createDatabase();
    const consumer = broker.consumer({
      groupId: 'chaos-outbox',
      handlers: {
        [TOPIC]: {
          'counted.v1': async ({ subject, data }) =>
            void this.#facts.seen.push({ key: subject, n: (data as { n: number }).n }),
        },
      },
    });
    consumer.start();
    try {
      this.#startRelay('relay-1');
      this.#startRelay('relay-2');
      await Promise.all([this.#write(), this.#breakRelays()]);
      await this.#settle();
      await this.#read();
      return this.#facts;
    } finally {
      for (const child of this.#relays.values()) child.kill('SIGKILL');
      await Promise.allSettled([consumer.stop(), this.#db.end()]);
      await broker.close();
    }
  }

  #brokers(): string[] {
    return this.#stack.env['KAFKA_BROKERS']!.split(',');
  }

  async #createDatabase(): Promise<void> {
    const server = new pg.Client({ connectionString: this.#stack.env['POSTGRES_URL'] });
    await server.connect();
    await server.query(`CREATE DATABASE ${DATABASE}`);
    await server.end();
    await this.#db.query(TABLES);
    for (let key = 0; key < this.#plan.keys; key++)
      await this.#db.query('INSERT INTO aggregate (key) VALUES ($1)', [`key-${key}`]);
  }

  #startRelay(name: string): void {
    const { without, folder } = this.#plan;
    const options: RelayProcess = {
      name,
      databaseUrl: this.#url,
      brokers: this.#brokers(),
      ...(without && { without }),
    };
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--conditions=@cairn/source',
        join(import.meta.dirname, 'outbox-relay.ts'),
        JSON.stringify(options),
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#stack.guard.adopt(child.pid!, { name });
    const log = createWriteStream(join(folder, `${name}.log`));
    // The one that ends first must not close the file under the other.
    for (const stream of [child.stdout!, child.stderr!]) stream.pipe(log, { end: false });
    child.once('close', () => log.end());
    this.#relays.set(name, child);
  }

  async #write(): Promise<void> {
    const { writers, eventsEach } = this.#plan;
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (let i = 0; i < eventsEach; i++) {
          await this.#writeOne();
          this.#plan.signal.throwIfAborted();
        }
      }),
    );
  }

  /** The number of an event is taken under the lock of its aggregate, which is held until the commit; or not. */
  async #writeOne(): Promise<void> {
    const { random, keys, pauseMs, without } = this.#plan;
    const key = `key-${Math.floor(random() * keys)}`;
    const waits = [random() * pauseMs, random() * Math.min(pauseMs, 10)];
    await delay(waits[0]);
    const tx = await this.#db.connect();
    try {
      const raise = 'UPDATE aggregate SET version = version + 1 WHERE key = $1 RETURNING version AS n';
      if (without !== 'lock') await tx.query('BEGIN');
      const { n } = (await tx.query<{ n: number }>(raise, [key])).rows[0]!;
      if (without === 'lock') await tx.query('BEGIN');
      const event = createEvent({
        type: 'counted.v1',
        source: '/chaos',
        subject: key,
        data: { n },
        time: new Date(),
      });
      await appendToOutbox(tx, [outboxRow(TOPIC, event)]);
      await delay(without === 'lock' ? waits[1]! * 10 : waits[1]);
      await tx.query('COMMIT');
      this.#facts.written[key] = (this.#facts.written[key] ?? 0) + 1;
      this.#committed++;
    } finally {
      tx.release();
    }
  }

  async #breakRelays(): Promise<void> {
    const { stoppedMs } = this.#plan;
    const killed = await this.#leaderAt(0.2);
    await this.#after('SIGKILL', killed, async () => {
      this.#relays.get(killed)!.kill('SIGKILL');
      await once(this.#relays.get(killed)!, 'exit');
    });
    this.#startRelay('relay-3');
    const stopped = await this.#leaderAt(0.5);
    await this.#after('SIGSTOP', stopped, async () => void this.#relays.get(stopped)!.kill('SIGSTOP'));
    await delay(stoppedMs);
    this.#relays.get(stopped)!.kill('SIGCONT');
    this.#plan.onProgress(`${stopped} goes on after ${stoppedMs} ms`);
  }

  /** Who publishes once so large a part is committed. */
  async #leaderAt(share: number): Promise<string> {
    const { writers, eventsEach, signal, onProgress } = this.#plan;
    for (;;) {
      signal.throwIfAborted();
      const sql = 'SELECT who FROM removal ORDER BY at DESC LIMIT 1';
      const who = (await this.#db.query<{ who: string }>(sql)).rows[0]?.who;
      onProgress(
        `${this.#committed} committed, ${this.#facts.seen.length} arrived; ${who ?? 'nobody'} publishes`,
      );
      if (who && this.#committed >= share * writers * eventsEach) return who;
      await delay(100);
    }
  }

  /** From the fault until another relay has published something, by the database's clock. */
  async #after(how: string, leader: string, fault: () => Promise<void>): Promise<void> {
    const [now] = (await this.#db.query<{ at: Date }>('SELECT clock_timestamp() AS at')).rows;
    await fault();
    const deadline = performance.now() + 15_000;
    const sql = `SELECT extract(epoch FROM min(at) - $1) * 1000 AS ms FROM removal WHERE at > $1 AND who <> $2`;
    for (;;) {
      const { ms } = (await this.#db.query<{ ms: string | null }>(sql, [now!.at, leader])).rows[0]!;
      if (ms !== null || performance.now() > deadline) {
        const tookMs = ms === null ? undefined : Math.round(Number(ms));
        this.#facts.takeOvers.push({ how, ms: tookMs });
        const outcome = tookMs === undefined ? 'nobody took over' : `taken over after ${tookMs} ms`;
        this.#plan.onProgress(`${leader}: ${how}; ${outcome}`);
        return;
      }
      await delay(50);
    }
  }

  async #settle(): Promise<void> {
    const deadline = performance.now() + SETTLE_MS;
    const isThere = () =>
      new Set(this.#facts.seen.map(({ key, n }) => `${key}/${n}`)).size >= this.#committed;
    while (!isThere() && performance.now() < deadline) await delay(200);
    // What a relay sends that woke up too late comes after the rest.
    await delay(2000);
  }

  async #read(): Promise<void> {
    const removed = 'SELECT coalesce(sum(count), 0)::int AS count FROM removal WHERE who <> holder';
    this.#facts.usurped = (await this.#db.query<{ count: number }>(removed)).rows[0]!.count;
    const left = 'SELECT count(*)::int AS count FROM outbox';
    this.#facts.left = (await this.#db.query<{ count: number }>(left)).rows[0]!.count;
  }
}
