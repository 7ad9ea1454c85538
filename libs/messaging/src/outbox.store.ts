import { NOTIFY_RELEASED } from './signal.ts';
import { rowsOf, type OutboxStats, type OutboxStore, type Queryable, type StoredRow } from './outbox.ts';

/**
 * The outbox on PostgreSQL. Each step is one statement, so that nothing is held while a relay thinks or sends. Its clock is
 * the database's; the clocks of the relays' machines do not matter.
 */
export function sqlOutbox(db: Queryable, { batchBytes = 900_000 }: SqlOutboxOptions = {}): OutboxStore {
  const first = async <T>(sql: string, parameters: unknown[] = []): Promise<T | undefined> =>
    rowsOf<T>(await db.query(sql, parameters))[0];

  return {
    lease: (holder, leaseMs) => first(LEASE, [holder, leaseMs / 1000]),
    read: async (limit, holder, epoch) =>
      rowsOf<StoredRow>(await db.query(READ, [limit, holder, epoch, batchBytes])),
    remove: async (ids, holder, epoch) => (await first<Counted>(REMOVE, [ids, holder, epoch]))!.count,
    park: async (id, reason, holder, epoch) =>
      (await first<Counted>(PARK, [id, reason, holder, epoch]))!.count === 1,
    release: async (holder) => void (await db.query(RELEASE, [holder])),
    stats: async () => {
      const stats = (await first<OutboxStats>(STATS))!;
      return { ...stats, oldestAgeMs: Math.max(0, stats.oldestAgeMs) };
    },
  };
}

export type SqlOutboxOptions = {
  /**
   * Most bytes of events that are read at once, one event at least. Default 900,000: with what is added to each it stays below
   * Kafka's 1 MiB for all messages of a request to one partition (`max.message.bytes`).
   */
  batchBytes?: number;
};

type Counted = { count: number };

// Whoever finds another's lease good only reads: relays that wait do not write.
const LEASE = `
  INSERT INTO outbox_lease AS lease (holder, epoch, expires_at)
  SELECT $1, 1, clock_timestamp() + make_interval(secs => $2)
  WHERE NOT EXISTS (SELECT FROM outbox_lease WHERE holder <> $1 AND expires_at >= clock_timestamp())
  ON CONFLICT (only_row) DO UPDATE SET
    holder = excluded.holder,
    epoch = lease.epoch + (lease.holder <> excluded.holder)::int,
    expires_at = excluded.expires_at
  WHERE lease.holder = excluded.holder OR lease.expires_at < clock_timestamp()
  RETURNING epoch`;

const READ = `
  SELECT id, topic, key, event, "createdAt" FROM (
    SELECT *, octet_length(event::text) AS bytes, sum(octet_length(event::text)) OVER (ORDER BY id) AS bytes_so_far FROM (
      SELECT id, topic, key, event, created_at AS "createdAt" FROM outbox
      WHERE parked_at IS NULL AND EXISTS (
        SELECT FROM outbox_lease WHERE holder = $2 AND epoch = $3 AND expires_at > clock_timestamp()
      )
      ORDER BY id LIMIT $1
    ) AS first
  ) AS measured
  WHERE bytes_so_far <= $4 OR bytes_so_far = bytes
  ORDER BY id`;

// FOR SHARE waits for a take-over under way and then looks again: the old holder changes nothing any more.
const HELD = 'SELECT FROM outbox_lease WHERE holder = $HOLDER AND epoch = $EPOCH FOR SHARE';

const REMOVE = `
  WITH held AS (${HELD.replace('$HOLDER', '$2').replace('$EPOCH', '$3')}),
  gone AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]) AND EXISTS (SELECT FROM held) RETURNING 1)
  SELECT count(*)::int AS count FROM gone`;

const PARK = `
  WITH held AS (${HELD.replace('$HOLDER', '$3').replace('$EPOCH', '$4')}),
  parked AS (
    UPDATE outbox SET parked_at = clock_timestamp(), parked_reason = $2
    WHERE id = $1 AND EXISTS (SELECT FROM held) RETURNING 1
  )
  SELECT count(*)::int AS count FROM parked`;

// The row stays: an epoch is not given twice.
const RELEASE = `
  WITH freed AS (UPDATE outbox_lease SET expires_at = '-infinity' WHERE holder = $1 RETURNING 1)
  SELECT ${NOTIFY_RELEASED} FROM freed`;

// Counts the rows: cheap while the relay keeps up, since it deletes what it has published.
const STATS = `
  SELECT count(*) FILTER (WHERE parked_at IS NULL)::int AS depth,
    coalesce(
      extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)) * 1000, 0
    )::float8 AS "oldestAgeMs",
    count(parked_at)::int AS parked
  FROM outbox`;
