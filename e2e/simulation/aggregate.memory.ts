import { createEvent, type Event } from '@cairn/messaging';
import type { Bug } from './bugs.ts';
import type { Connection } from './connection.ts';
import type { Transaction } from './database.ts';
import { appendEvents } from './outbox.memory.ts';

type Announcement = { type: string; data: Record<string, unknown> };

/** A row of an aggregate's table. */
export type Stored<T> = { value: T; version: number };

export type Aggregate<T> = {
  table: string;
  topic: string;
  source: string;
  consumer: string;
  subjectOf: (value: T) => string;
};

/**
 * Lock, decide, save, append: the one way to change an aggregate, statement by statement as the repositories in SQL do it. The
 * bugs that belong here leave one of the statements out, or turn two around.
 */
export class MemoryAggregate<T> {
  readonly #connection: Connection;
  readonly #of: Aggregate<T>;
  readonly #bug: Bug | undefined;

  constructor(connection: Connection, of: Aggregate<T>, bug?: Bug) {
    this.#connection = connection;
    this.#of = of;
    this.#bug = bug;
  }

  async update(
    id: string,
    decide: (value: T) => { value: T; announce: Announcement[] } | undefined,
    { now, messageId }: { now: Date; messageId?: string },
  ): Promise<T | undefined> {
    let late: Event[] = [];
    const saved = await this.#connection.transaction(async (tx) => {
      if (messageId && !(await tx.run('INSERT inbox', (t) => this.#claim(t, messageId)))) return undefined;
      const row = await tx.run(`SELECT ${this.#of.table} ${id} FOR UPDATE`, (t) => this.#read(t, id));
      const decided = row && decide(row.value);
      if (!decided) return undefined;
      const events = this.eventsOf(decided, row.version, now);
      await tx.run(`UPDATE ${this.#of.table} ${id}`, (t) =>
        t.put(this.#of.table, id, {
          value: decided.value,
          version: row.version + events.length,
        } satisfies Stored<T>),
      );
      if (this.#bug === 'dual-write') late = events;
      else if (events.length > 0)
        await tx.run(insertOf(events), (t) => appendEvents(t, this.#of.topic, events));
      return decided.value;
    });
    if (late.length > 0)
      await this.#connection.query(insertOf(late), (tx) => appendEvents(tx, this.#of.topic, late));
    return saved;
  }

  /** Numbered from the version of the row that they change. */
  eventsOf(
    { value, announce }: { value: T; announce: Announcement[] },
    version: number,
    time: Date,
  ): Event[] {
    const { source, subjectOf } = this.#of;
    return announce.map(({ type, data }, index) =>
      createEvent({
        type: `${type}.v1`,
        source,
        subject: subjectOf(value),
        data,
        time,
        sequence: version + 1 + index,
      }),
    );
  }

  async #claim(tx: Transaction, messageId: string): Promise<boolean> {
    const key = `${this.#of.consumer}/${messageId}`;
    const first = await tx.insert('inbox', key, {});
    if (first || this.#bug === 'no-inbox')
      tx.note({ type: 'handled', consumer: this.#of.consumer, eventId: messageId });
    return first || this.#bug === 'no-inbox';
  }

  #read(tx: Transaction, id: string): Promise<Stored<T> | undefined> | Stored<T> | undefined {
    if (this.#bug === 'no-row-lock') return tx.get<Stored<T>>(this.#of.table, id);
    return tx.lock<Stored<T>>(this.#of.table, id);
  }
}

const insertOf = (events: Event[]) => `INSERT outbox ${events.map(({ type }) => type).join()}`;
