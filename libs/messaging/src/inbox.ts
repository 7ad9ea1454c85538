import { rowsOf, type Queryable } from './outbox.ts';

/** For the service's own migration. */
export const INBOX_TABLE = `
  CREATE TABLE inbox (
    consumer    text NOT NULL,
    message_id  text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, message_id)
  );
  CREATE INDEX inbox_received_at ON inbox (received_at);`;

/**
 * The first statement of a handler's transaction: true for a message that this consumer has not handled yet. A second
 * delivery, even at the same moment in another process, waits for the first transaction and then gets false.
 */
export async function claimMessage(db: Queryable, consumer: string, messageId: string): Promise<boolean> {
  const result = await db.query(
    'INSERT INTO inbox (consumer, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING message_id',
    [consumer, messageId],
  );
  return rowsOf(result).length === 1;
}

/** Forgets messages older than `keepDays`, which must exceed the broker's retention. Returns how many. */
export async function forgetOldMessages(db: Queryable, keepDays: number): Promise<number> {
  const result = await db.query(
    `WITH gone AS (DELETE FROM inbox WHERE received_at < now() - make_interval(days => $1) RETURNING 1)
     SELECT count(*)::int AS count FROM gone`,
    [keepDays],
  );
  return rowsOf<{ count: number }>(result)[0]!.count;
}
