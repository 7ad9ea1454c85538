import type { Event } from '@cairn/messaging';
import type { Kernel } from './kernel.ts';

type Row = object;
type Lock = { holder: Transaction; waiters: { tx: Transaction; go: () => void }[] };

/** How long a statement waits for a lock before it fails, as the services' pools set it. In ms. */
const LOCK_TIMEOUT_MS = 2000;

/** An error as PostgreSQL's driver gives it. */
export class DatabaseError extends Error {
  readonly code: string;
  readonly table?: string;
  constructor(code: string, message: string, table?: string) {
    super(message);
    this.code = code;
    if (table) this.table = table;
  }
}

/** What a transaction leaves in the history when it commits: the audit reads it. */
export type Fact =
  | { type: 'event'; event: Event }
  | { type: 'handled'; consumer: string; eventId: string }
  /** A consumer counts this event as applied; before, it was `after`. */
  | { type: 'applied'; consumer: string; source: string; subject: string; number: number; after: number };

/**
 * A PostgreSQL in memory: rows by table and key, READ COMMITTED, row locks with a queue, unique keys that wait for the
 * transaction that has inserted the same one. What it leaves out: SQL, deadlock detection (a lock's time-out ends one).
 */
export class Database {
  /** `postgres orders` */
  readonly name: string;
  readonly kernel: Kernel;
  readonly #tables = new Map<string, Map<string, Row>>();
  readonly locks = new Map<string, Lock>();
  /** In the order of the commits. */
  readonly history: Fact[] = [];
  readonly open = new Set<Transaction>();
  #ids = 0;

  constructor(name: string, kernel: Kernel) {
    this.name = name;
    this.kernel = kernel;
  }

  table<T extends Row>(name: string): Map<string, T> {
    let table = this.#tables.get(name);
    if (!table) this.#tables.set(name, (table = new Map()));
    return table as Map<string, T>;
  }

  /** An identity column: numbers are given at the insert, not at the commit. */
  nextId(): number {
    return ++this.#ids;
  }

  begin(): Transaction {
    const tx = new Transaction(this);
    this.open.add(tx);
    return tx;
  }

  /** A restart of the server: what was not committed is gone. */
  restart(): void {
    for (const tx of [...this.open]) tx.rollback();
  }
}

export class Transaction {
  readonly #database: Database;
  readonly #writes = new Map<string, Map<string, Row | undefined>>();
  readonly #locks = new Set<string>();
  readonly #facts: Fact[] = [];
  #over = false;

  constructor(database: Database) {
    this.#database = database;
  }

  get over(): boolean {
    return this.#over;
  }

  nextId(): number {
    return this.#database.nextId();
  }

  get now(): number {
    return this.#database.kernel.now;
  }

  get<T extends Row>(table: string, key: string): T | undefined {
    const written = this.#writes.get(table);
    return (written?.has(key) ? written.get(key) : this.#database.table(table).get(key)) as T | undefined;
  }

  /** Committed rows and this transaction's own, in the order of their inserts. */
  rows<T extends Row>(table: string): T[] {
    const written = this.#writes.get(table);
    const committed = this.#database.table<T>(table);
    if (!written) return [...committed.values()];
    const merged = new Map<string, Row | undefined>(committed);
    for (const [key, row] of written) merged.set(key, row);
    return [...merged.values()].filter((row) => row !== undefined) as T[];
  }

  put(table: string, key: string, row: Row | undefined): void {
    let written = this.#writes.get(table);
    if (!written) this.#writes.set(table, (written = new Map()));
    written.set(key, row);
  }

  /** Waits for the row's lock, and reads it as it is then. */
  async lock<T extends Row>(table: string, key: string): Promise<T | undefined> {
    await this.#acquire(`${table} ${key}`);
    return this.get<T>(table, key);
  }

  /** False when the key is taken; waits for a transaction that is about to take it. */
  async insert(table: string, key: string, row: Row): Promise<boolean> {
    if ((await this.lock(table, key)) !== undefined) return false;
    this.put(table, key, row);
    return true;
  }

  note(fact: Fact): void {
    this.#facts.push(fact);
  }

  commit(): void {
    if (this.#over) throw new DatabaseError('25P02', 'the transaction is over');
    for (const [name, written] of this.#writes) {
      const table = this.#database.table(name);
      for (const [key, row] of written) {
        if (row === undefined) table.delete(key);
        else table.set(key, row);
      }
    }
    this.#database.history.push(...this.#facts);
    this.#end();
  }

  rollback(): void {
    if (!this.#over) this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#database.open.delete(this);
    for (const name of this.#locks) {
      const lock = this.#database.locks.get(name)!;
      let next = lock.waiters.shift();
      while (next?.tx.over) next = lock.waiters.shift();
      if (next) {
        lock.holder = next.tx;
        next.go();
      } else this.#database.locks.delete(name);
    }
  }

  #acquire(name: string): Promise<void> {
    if (this.#over) throw new DatabaseError('25P02', 'the transaction is over');
    const { locks, kernel } = this.#database;
    const lock = locks.get(name);
    if (!lock || lock.holder === this) {
      if (!lock) locks.set(name, { holder: this, waiters: [] });
      this.#locks.add(name);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const cancel = kernel.after(LOCK_TIMEOUT_MS, undefined, () => {
        lock.waiters = lock.waiters.filter((waiter) => waiter !== mine);
        reject(new DatabaseError('55P03', 'canceling statement due to lock timeout'));
      });
      const mine = {
        tx: this as Transaction,
        go: () => {
          cancel();
          this.#locks.add(name);
          resolve();
        },
      };
      lock.waiters.push(mine);
    });
  }
}
