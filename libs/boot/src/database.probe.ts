import type { Socket } from 'node:net';
import pg from 'pg';

/**
 * Asks PostgreSQL whether it is there, on a connection of its own. Through the pool of the requests a probe would wait behind
 * them: a pool that is busy would turn all replicas unready at once, and nobody would be left to work the load off.
 */
export class DatabaseProbe {
  readonly #url: string;
  readonly #name: string;
  #connection: Connection | undefined;

  constructor(url: string, name: string) {
    this.#url = url;
    this.#name = name;
  }

  /** Rejects when PostgreSQL does not answer; the next call then connects anew. */
  async ask(signal: AbortSignal): Promise<void> {
    const connection = (this.#connection ??= this.#connect());
    const drop = () => this.#drop(connection);
    signal.addEventListener('abort', drop, { once: true });
    try {
      await connection.ready;
      await connection.client.query('SELECT 1');
    } catch (error) {
      drop();
      throw error;
    } finally {
      signal.removeEventListener('abort', drop);
    }
  }

  close(): void {
    if (this.#connection) this.#drop(this.#connection);
  }

  #connect(): Connection {
    const client = new pg.Client({ connectionString: this.#url, application_name: `${this.#name} probe` });
    // It may be cut at any time; whoever asks next finds out.
    client.on('error', () => undefined);
    return { client, ready: client.connect() };
  }

  #drop(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
    // Not end(): that would wait for a server that says nothing.
    (connection.client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }
}

type Connection = { client: pg.Client; ready: Promise<unknown> };
