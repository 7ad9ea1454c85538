import { sequenceOf, type Event } from './event.ts';
import { rowsOf, type Queryable } from './outbox.ts';
import type { HeldEvent, HeldKey, Numbered, SequenceStore } from './sequence.ts';

/**
 * For the service's own migration. A row of `inbox_sequence` lives as long as what it is about: without it the next event
 * would be taken for one that came too early.
 */
export const SEQUENCE_TABLES = `
  CREATE TABLE inbox_sequence (
    consumer text NOT NULL,
    source   text NOT NULL,
    subject  text NOT NULL,
    applied  integer NOT NULL,
    PRIMARY KEY (consumer, source, subject)
  );
  CREATE TABLE inbox_held (
    consumer  text NOT NULL,
    source    text NOT NULL,
    subject   text NOT NULL,
    sequence  integer NOT NULL,
    topic     text NOT NULL,
    partition integer NOT NULL,
    "offset"  text NOT NULL,
    event     json NOT NULL,
    held_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, source, subject, sequence)
  );`;

const APPLIED = 'SELECT applied FROM inbox_sequence WHERE consumer = $1 AND source = $2 AND subject = $3';

// The row's lock is held until the statement's end: whoever applies the missing event meanwhile either sees what is
// kept here, or is seen here.
const HOLD = `
  WITH key AS (
    INSERT INTO inbox_sequence AS known (consumer, source, subject, applied) VALUES ($1, $2, $3, 0)
    ON CONFLICT (consumer, source, subject) DO UPDATE SET applied = known.applied
    RETURNING applied
  ), kept AS (
    INSERT INTO inbox_held (consumer, source, subject, sequence, topic, partition, "offset", event)
    SELECT $1, $2, $3, $4::int, $5, $6::int, $7, $8::json FROM key WHERE applied + 1 < $4::int
    ON CONFLICT DO NOTHING
  )
  SELECT applied FROM key`;

const APPLY = `
  WITH gone AS (
    DELETE FROM inbox_held WHERE consumer = $1 AND source = $2 AND subject = $3 AND sequence <= $4::int
  )
  INSERT INTO inbox_sequence AS known (consumer, source, subject, applied) VALUES ($1, $2, $3, $4::int)
  ON CONFLICT (consumer, source, subject) DO UPDATE SET applied = excluded.applied
  WHERE known.applied < excluded.applied`;

const NEXT = `
  SELECT topic, partition, "offset", event
  FROM inbox_held JOIN inbox_sequence AS known USING (consumer, source, subject)
  WHERE consumer = $1 AND source = $2 AND subject = $3 AND sequence = known.applied + 1`;

const WAITING = `
  SELECT source, subject, min(topic) AS topic, applied + 1 AS "waitsFor", count(*)::int AS count, min(held_at) AS since
  FROM inbox_held JOIN inbox_sequence AS known USING (consumer, source, subject)
  WHERE consumer = $1 AND sequence > applied + 1
  GROUP BY source, subject, applied
  ORDER BY since`;

/** Keeps the order in PostgreSQL, in the tables of `SEQUENCE_TABLES`. Each statement is a transaction of its own. */
export function sqlSequence(db: Queryable): SequenceStore {
  const rows = async <T>(sql: string, parameters: unknown[]) => rowsOf<T>(await db.query(sql, parameters));
  const lastOf = async (sql: string, parameters: unknown[]) =>
    (await rows<{ applied: number }>(sql, parameters))[0]?.applied ?? 0;
  const nextOf = async (consumer: string, { source, subject }: Numbered) =>
    (await rows<HeldEvent>(NEXT, [consumer, source, subject]))[0];
  const apply = async (consumer: string, event: Numbered) => {
    await db.query(APPLY, [consumer, event.source, event.subject, numberOf(event)]);
    // A statement of its own: it must see what was kept while that one waited for the row.
    return nextOf(consumer, event);
  };

  return {
    async admit(consumer, event, { topic, partition, offset }) {
      const number = numberOf(event);
      const key = [consumer, event.source, event.subject];
      const turn = (applied: number) =>
        number === applied + 1 ? 'next' : number <= applied ? 'old' : 'held';
      // `applied` only rises: what is not too early now will not be too early in a moment, without a lock.
      const early = turn(await lastOf(APPLIED, key));
      if (early !== 'held') return early;
      return turn(await lastOf(HOLD, [...key, number, topic, partition, offset, JSON.stringify(event)]));
    },

    applied: apply,

    async skip(consumer, event) {
      const applied = await lastOf(APPLIED, [consumer, event.source, event.subject]);
      if (numberOf(event) > applied + 1)
        throw new Error(
          `${event.subject}: number ${numberOf(event)} cannot be skipped before ${applied + 1}, which is missing`,
        );
      return apply(consumer, event);
    },

    held: (consumer) => rows<HeldKey>(WAITING, [consumer]),
  };
}

function numberOf(event: Pick<Event, 'sequence'>): number {
  const number = sequenceOf(event);
  if (number === undefined) throw new TypeError('an event without a sequence has no turn');
  return number;
}
