import { sequenceOf, type Event, type SequenceStore } from '@cairn/messaging';
import type { Bug } from './bugs.ts';
import type { Connection } from './connection.ts';
import type { Transaction } from './database.ts';

type Place = Parameters<SequenceStore['admit']>[2];
type Held = NonNullable<Awaited<ReturnType<SequenceStore['applied']>>>;
type Numbered = Pick<Event, 'source' | 'subject' | 'sequence'>;

/** What was applied last, and what came too early, with the contract of the store in SQL. */
export class MemorySequence implements SequenceStore {
  readonly #connection: Connection;
  readonly #bug: Bug | undefined;

  constructor(connection: Connection, bug?: Bug) {
    this.#connection = connection;
    this.#bug = bug;
  }

  admit(consumer: string, event: Event, place: Place): ReturnType<SequenceStore['admit']> {
    return this.#connection.query(`admit ${event.type} ${event.sequence}`, async (tx) => {
      const key = keyOf(consumer, event);
      const applied = (await tx.lock<{ applied: number }>('inbox_sequence', key))?.applied ?? 0;
      const number = sequenceOf(event)!;
      if (number === applied + 1 || this.#bug === 'no-hold') return 'next';
      if (number <= applied) return 'old';
      tx.put('inbox_held', `${key}/${number}`, { ...place, event } satisfies Held);
      return 'held';
    });
  }

  applied(consumer: string, event: Numbered): Promise<Held | undefined> {
    return this.#connection.query(`applied ${event.sequence} of ${event.subject}`, (tx) =>
      apply(tx, consumer, event),
    );
  }

  skip(): ReturnType<SequenceStore['skip']> {
    throw new Error('nobody gives up on an event in the simulation');
  }

  held(): ReturnType<SequenceStore['held']> {
    throw new Error('nobody lists what is held in the simulation');
  }
}

async function apply(tx: Transaction, consumer: string, event: Numbered): Promise<Held | undefined> {
  const key = keyOf(consumer, event);
  const before = (await tx.lock<{ applied: number }>('inbox_sequence', key))?.applied ?? 0;
  const applied = Math.max(before, sequenceOf(event)!);
  tx.put('inbox_sequence', key, { applied });
  const { source, subject } = event;
  if (applied > before)
    tx.note({ type: 'applied', consumer, source, subject, number: applied, after: before });
  for (let number = before; number <= applied; number++) tx.put('inbox_held', `${key}/${number}`, undefined);
  return tx.get<Held>('inbox_held', `${key}/${applied + 1}`);
}

const keyOf = (consumer: string, { source, subject }: Numbered) => `${consumer} ${source} ${subject}`;
