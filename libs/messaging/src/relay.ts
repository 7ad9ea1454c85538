import { randomUUID } from 'node:crypto';
import { rowsOf, type OutboxRow, type Queryable } from './outbox.ts';

export type RelayOptions = {
  db: Queryable;
  /** Resolves when the broker has acknowledged all of it, in order. Must give up well before `leaseMs`. */
  publish: (rows: OutboxRow[]) => Promise<void>;
  /** Rows a round. Default 500. */
  batchSize?: number;
  /** Pause after a round that found nothing or failed. Default 100. */
  pollMs?: number;
  /** How long a relay that died keeps the others waiting. Default 5000. */
  leaseMs?: number;
  onPublished?: (count: number) => void;
  onError?: (error: unknown) => void;
};

type StoredRow = OutboxRow & { id: string; createdAt: Date };

/** What waits in the outbox. `oldestAgeMs` is 0 when nothing does. */
export type OutboxStats = { depth: number; oldestAgeMs: number };

/**
 * Publishes outbox rows in the order of their ids and deletes them once they are acknowledged: at least once, in order
 * per key. Any number of relays may run; the lease lets one of them publish at a time, since two that share rows
 * out with SKIP LOCKED would turn the events of one key around. Nothing remote is awaited inside a transaction.
 */
export class OutboxRelay {
  readonly #options: Required<RelayOptions>;
  readonly #holder = randomUUID();
  #running: Promise<void> | undefined;
  #stop = new AbortController();

  constructor(options: RelayOptions) {
    const nothing = () => {};
    this.#options = {
      batchSize: 500,
      pollMs: 100,
      leaseMs: 5000,
      onPublished: nothing,
      onError: nothing,
      ...options,
    };
  }

  start(): void {
    this.#running ??= this.#run(this.#stop.signal);
  }

  /** Finishes the round in hand and gives the lease back, so that another relay takes over at once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#running = undefined;
    this.#stop = new AbortController();
    await this.#options.db
      .query('DELETE FROM outbox_lease WHERE holder = $1', [this.#holder])
      .catch(this.#options.onError);
  }

  /** One round. Returns how many rows it published; 0 also when another relay holds the lease. */
  async relayOnce(): Promise<number> {
    const epoch = await this.#lease();
    if (epoch === undefined) return 0;
    const { db, batchSize, publish, onPublished } = this.#options;
    const rows = rowsOf<StoredRow>(
      await db.query(
        'SELECT id, topic, key, event, created_at AS "createdAt" FROM outbox ORDER BY id LIMIT $1',
        [batchSize],
      ),
    );
    if (rows.length === 0) return 0;
    await publish(rows);
    // A relay that was paused past its lease must not delete what its successor is about to publish.
    await db.query(
      `DELETE FROM outbox WHERE id = ANY($1::bigint[])
         AND EXISTS (SELECT FROM outbox_lease WHERE holder = $2 AND epoch = $3)`,
      [rows.map((row) => row.id), this.#holder, epoch],
    );
    onPublished(rows.length);
    return rows.length;
  }

  /**
   * How much waits and for how long, by the database's clock. Counts the rows: cheap while the relay keeps up, since it
   * deletes what it has published.
   * @throws when the database does not answer
   */
  async stats(): Promise<OutboxStats> {
    const result = await this.#options.db.query(
      `SELECT count(*)::int AS depth,
              coalesce(extract(epoch FROM clock_timestamp() - min(created_at)) * 1000, 0)::float8 AS "oldestAgeMs"
       FROM outbox`,
    );
    const { depth, oldestAgeMs } = rowsOf<OutboxStats>(result)[0]!;
    return { depth, oldestAgeMs: Math.max(0, oldestAgeMs) };
  }

  /** Takes or renews the lease; undefined while another relay's is good. */
  async #lease(): Promise<string | undefined> {
    const result = await this.#options.db.query(
      `INSERT INTO outbox_lease AS lease (holder, epoch, expires_at)
       VALUES ($1, 1, clock_timestamp() + make_interval(secs => $2))
       ON CONFLICT (only_row) DO UPDATE SET
         holder = excluded.holder,
         epoch = lease.epoch + (lease.holder <> excluded.holder)::int,
         expires_at = excluded.expires_at
       WHERE lease.holder = excluded.holder OR lease.expires_at < clock_timestamp()
       RETURNING epoch`,
      [this.#holder, this.#options.leaseMs / 1000],
    );
    return rowsOf<{ epoch: string }>(result)[0]?.epoch;
  }

  async #run(stop: AbortSignal): Promise<void> {
    const { batchSize, pollMs, onError } = this.#options;
    while (!stop.aborted) {
      const published = await this.relayOnce().catch((error: unknown) => {
        onError(error);
        return 0;
      });
      if (published < batchSize) await pause(pollMs, stop);
    }
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
  });
}
