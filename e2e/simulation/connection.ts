import { DatabaseError, type Database, type Transaction } from './database.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';

/** One statement of a transaction: a round trip, in which the connection may break. */
export type Statements = {
  run<T>(what: string, statement: (tx: Transaction) => T | Promise<T>): Promise<T>;
};

/** What pg says when a connection breaks: the outcome of what was sent is not known. */
const lost = (why: string) =>
  why === 'refused'
    ? Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    : new Error('Connection terminated unexpectedly');

/** A process's way to its database. */
export class Connection {
  readonly #network: Network;
  readonly #process: Process;
  readonly database: Database;

  constructor(network: Network, process: Process, database: Database) {
    this.#network = network;
    this.#process = process;
    this.database = database;
  }

  /** One statement that is its own transaction. */
  query<T>(what: string, statement: (tx: Transaction) => T | Promise<T>): Promise<T> {
    return this.#send(what, async () => {
      const tx = this.database.begin();
      try {
        const result = await statement(tx);
        tx.commit();
        return result;
      } catch (error) {
        tx.rollback();
        throw error;
      }
    });
  }

  /** The server rolls back as soon as the connection is gone, and it is when any reply of it is. */
  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const tx = this.database.begin();
    const forget = this.#process.atDeath(() => {
      this.database.kernel.after(this.database.kernel.between(0, 50), undefined, () => tx.rollback());
    });
    try {
      const result = await work({
        run: (what, statement) =>
          this.#send(what, () => {
            if (tx.over)
              throw new DatabaseError('57P01', 'terminating connection due to administrator command');
            return statement(tx);
          }),
      });
      await this.#send('COMMIT', () => tx.commit());
      return result;
    } catch (error) {
      tx.rollback();
      throw error;
    } finally {
      forget();
    }
  }

  #send<T>(what: string, work: () => T | Promise<T>): Promise<T> {
    // Longer than a lock's time-out, so that waiting for one is not a broken connection.
    const to = this.database.name;
    return this.#network.call({ from: this.#process, to, what, timeoutMs: 3000, lost }, work);
  }
}
