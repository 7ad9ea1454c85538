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
