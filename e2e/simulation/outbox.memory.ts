import type { Event, OutboxStats, OutboxStore, StoredRow } from '@cairn/messaging';
import type { Bug } from './bugs.ts';
import type { Connection } from './connection.ts';
import type { Transaction } from './database.ts';

type WaitingRow = StoredRow & { parked?: string };
type Lease = { holder: string; epoch: number; expiresAt: number };

const TABLE = 'outbox';
const LEASE = 'outbox_lease';

/** Adds the events in the transaction that changes the state. */
export function appendEvents(tx: Transaction, topic: string, events: Event[]): void {
  for (const event of events) {
    const id = String(tx.nextId());
    const row: WaitingRow = { id, topic, key: event.subject, event, createdAt: new Date(tx.now) };
    tx.put(TABLE, id, row);
    tx.note({ type: 'event', event });
  }
}

/** The outbox's table and lease, with the contract of the one in SQL. */
export class MemoryOutbox implements OutboxStore {
  readonly #connection: Connection;
  readonly #bug: Bug | undefined;

  constructor(connection: Connection, bug?: Bug) {
    this.#connection = connection;
    this.#bug = bug;
  }

  lease(holder: string, leaseMs: number): Promise<{ epoch: string } | undefined> {
    return this.#connection.query('lease outbox', async (tx) => {
      if (this.#bug === 'skip-locked') return { epoch: '1' };
      const lease = await tx.lock<Lease>(LEASE, '1');
      if (lease && lease.holder !== holder && lease.expiresAt >= tx.now) return undefined;
      const epoch = (lease?.epoch ?? 0) + (lease?.holder === holder ? 0 : 1);
      tx.put(LEASE, '1', { holder, epoch, expiresAt: tx.now + leaseMs } satisfies Lease);
      return { epoch: String(epoch) };
    });
  }

  read(limit: number, holder: string, epoch: string): Promise<StoredRow[]> {
    return this.#connection.query('read outbox', (tx) => {
      const waiting = tx.rows<WaitingRow>(TABLE).filter(({ parked }) => !parked);
      const rows = waiting.sort((a, b) => Number(a.id) - Number(b.id));
      if (this.#bug === 'skip-locked') return share(tx, rows, holder);
      const lease = tx.get<Lease>(LEASE, '1');
      if (!this.#isOf(lease, holder, epoch) || lease!.expiresAt <= tx.now) return [];
      const first = rows.slice(0, limit);
      if (this.#bug === 'delete-first') for (const { id } of first) tx.put(TABLE, id, undefined);
      return first;
    });
  }

  remove(ids: string[], holder: string, epoch: string): Promise<number> {
    return this.#connection.query(`delete ${ids.length} of outbox`, async (tx) => {
      if (!(await this.#mayWrite(tx, holder, epoch))) return 0;
      for (const id of ids) tx.put(TABLE, id, undefined);
      return ids.length;
    });
  }

  park(id: string, reason: string, holder: string, epoch: string): Promise<boolean> {
    return this.#connection.query(`park ${id} of outbox`, async (tx) => {
      const row = tx.get<WaitingRow>(TABLE, id);
      if (!row || !(await this.#mayWrite(tx, holder, epoch))) return false;
      tx.put(TABLE, id, { ...row, parked: reason });
      return true;
    });
  }

  release(holder: string): Promise<void> {
    return this.#connection.query('release outbox', async (tx) => {
      const lease = await tx.lock<Lease>(LEASE, '1');
      if (lease?.holder === holder) tx.put(LEASE, '1', { ...lease, expiresAt: 0 });
    });
  }

  stats(): Promise<OutboxStats> {
    throw new Error('nobody reads metrics in the simulation');
  }

  #isOf(lease: Lease | undefined, holder: string, epoch: string): boolean {
    return lease?.holder === holder && String(lease.epoch) === epoch;
  }

  async #mayWrite(tx: Transaction, holder: string, epoch: string): Promise<boolean> {
    if (this.#bug === 'skip-locked') return true;
    return this.#isOf(await tx.lock<Lease>(LEASE, '1'), holder, epoch);
  }
}

/** What SKIP LOCKED gives: the rows that nobody else has in hand, which for the others are not there. */
function share(tx: Transaction, rows: WaitingRow[], holder: string): WaitingRow[] {
  const mine = rows
    .filter(({ id }) => (tx.get<{ holder: string }>('taken', id)?.holder ?? holder) === holder)
    .slice(0, 2);
  for (const { id } of mine) tx.put('taken', id, { holder });
  return mine;
}
