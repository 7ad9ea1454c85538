import type { Event } from './event.ts';

/** A pg client or pool, a TypeORM data source or manager: whatever runs one statement and gives its rows. */
export type Queryable = { query(sql: string, parameters?: unknown[]): Promise<unknown> };

export type OutboxRow = {
  topic: string;
  key: string;
  event: Event;
  /** When the database took it in; the relay knows. */
  createdAt?: Date;
};

/**
 * For the service's own migration. A row lives from the transaction that made it until the relay has the broker's
 * acknowledgement. `outbox_lease` says which relay may publish; its epoch rises with every change of hands.
 */
export const OUTBOX_TABLE = `
  CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text NOT NULL,
    key        text NOT NULL,
    event      json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE outbox_lease (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    holder     text NOT NULL,
    epoch      bigint NOT NULL,
    expires_at timestamptz NOT NULL
  );`;

/**
 * For a later migration: a row that the broker refuses for good is set aside with the reason, so that it holds up nobody.
 * `UPDATE outbox SET parked_at = NULL WHERE id = …` has it published after all.
 */
export const OUTBOX_PARKING = `
  ALTER TABLE outbox ADD COLUMN parked_at timestamptz, ADD COLUMN parked_reason text;
  CREATE INDEX outbox_parked ON outbox (id) WHERE parked_at IS NOT NULL;`;

/** A row as the relay reads it; its id is a bigint in text. */
export type StoredRow = OutboxRow & { id: string };

/** What waits in the outbox. `oldestAgeMs` is 0 when nothing does. Parked rows do not wait: `parked` counts them. */
export type OutboxStats = { depth: number; oldestAgeMs: number; parked: number };

/**
 * What a relay needs of the place where the events wait. `sqlOutbox` is the one on PostgreSQL. A holder is a relay; the
 * epoch is its term of office, and rises with every change of hands.
 */
export type OutboxStore = {
  /** Takes or renews the lease for `leaseMs`, by the store's clock; undefined while another holder's is good. */
  lease(holder: string, leaseMs: number): Promise<{ epoch: string } | undefined>;
  /** The first rows that are neither published nor parked, by id; none for whoever does not hold the lease. */
  read(limit: number, holder: string, epoch: string): Promise<StoredRow[]>;
  /** Removes what is published and says how many rows that were; 0 for whoever does not hold the lease. */
  remove(ids: string[], holder: string, epoch: string): Promise<number>;
  /** Sets a row aside; false for whoever does not hold the lease. */
  park(id: string, reason: string, holder: string, epoch: string): Promise<boolean>;
  /** Gives the lease back before its time, so that another relay takes over at once. */
  release(holder: string): Promise<void>;
  stats(): Promise<OutboxStats>;
};

export function outboxRow(topic: string, event: Event): OutboxRow {
  return { topic, key: event.subject, event };
}

/**
 * Adds events to the outbox. Call it with the connection of the transaction that changes the state, after the
 * aggregate's row is locked: that lock makes the ids of one key rise in the order of their commits.
 */
export async function appendToOutbox(db: Queryable, rows: OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db.query(
    `INSERT INTO outbox (topic, key, event)
     SELECT topic, key, event FROM json_to_recordset($1) AS row (topic text, key text, event json)`,
    [JSON.stringify(rows)],
  );
}

/** pg answers `{ rows }`, TypeORM the rows themselves. */
export function rowsOf<T>(result: unknown): T[] {
  return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as T[];
}
