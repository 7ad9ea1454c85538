import type { Queryable } from './outbox.ts';
import { pause, type Sleep } from './pause.ts';

/** The channel of PostgreSQL's NOTIFY, one per database. */
const CHANNEL = 'outbox';

/** What a relay hears from the database. */
export type Listener = {
  /** Rows were committed, or (`released`) the lease is free. */
  notified(payload: string): void;
  /** While it is false, nothing is heard. */
  connected(up: boolean): void;
};

/** Begins to listen, in the background, and goes on until it is closed. */
export type Listen = (listener: Listener) => { close(): Promise<void> };

/** What is needed of a pg `Client`, of one that has not connected yet. */
export type ListeningClient = {
  connect(): Promise<unknown>;
  query(sql: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: 'notification', hear: (message: { payload?: string }) => void): unknown;
  on(event: 'error' | 'end', hear: (error?: Error) => void): unknown;
};

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5000;

/**
 * Listens on a connection of its own and connects again when that is lost. A connection that has silently died is not
 * noticed: polling goes on behind it.
 */
export function listenTo(
  newClient: () => ListeningClient,
  { onError = () => {}, sleep = pause }: { onError?: (error: unknown) => void; sleep?: Sleep } = {},
): Listen {
  return (listener) => {
    const closing = new AbortController();
    const running = keepListening(closing.signal);
    return {
      close: async () => {
        closing.abort();
        await running;
      },
    };

    async function keepListening(closed: AbortSignal): Promise<void> {
      let backoffMs = FIRST_BACKOFF_MS;
      while (!closed.aborted) {
        try {
          await listenOnce(newClient(), listener, closed, () => (backoffMs = FIRST_BACKOFF_MS));
        } catch (error) {
          onError(error);
        }
        listener.connected(false);
        await sleep(backoffMs, closed);
        backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      }
    }
  };
}

/** @throws what ended the connection, unless that was `closed` */
async function listenOnce(
  client: ListeningClient,
  listener: Listener,
  closed: AbortSignal,
  onListening: () => void,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  const leave = () => over.resolve();
  client.on('error', (error) => over.reject(error ?? new Error('the connection that listens broke')));
  client.on('end', () => over.reject(new Error('the connection that listens was closed')));
  client.on('notification', ({ payload }) => listener.notified(payload ?? ''));
  // It may break before anybody waits for it.
  over.promise.catch(() => undefined);
  closed.addEventListener('abort', leave);
  try {
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    onListening();
    listener.connected(true);
    // What was committed before it listened was told to nobody.
    listener.notified('');
    await over.promise;
  } finally {
    closed.removeEventListener('abort', leave);
    await client.end().catch(() => undefined);
  }
}

/**
 * Tells the relays of other processes that there is something to publish. Not inside the transaction: a transaction that
 * notifies holds a lock of the whole database from before its commit until after it, and they queue up for that.
 */
export async function notifyOutbox(db: Queryable): Promise<void> {
  await db.query(`SELECT pg_notify('${CHANNEL}', '')`);
}

/** For `notifyOutbox` in the statement that gives the lease back. */
export const NOTIFY_RELEASED = `pg_notify('${CHANNEL}', 'released')`;

export type SignalOptions = {
  db: Queryable;
  /** The relay of this process: true when it publishes and hence nobody else needs to know. Default: there is none. */
  wake?: () => boolean;
  onError?: (error: unknown) => void;
};

/**
 * Called after a commit that added rows. One NOTIFY is under way at a time, and one more stands for all that came meanwhile.
 * One that fails costs time only: the relay looks by itself as well.
 */
export class OutboxSignal {
  readonly #options: Required<SignalOptions>;
  #state: 'idle' | 'sending' | 'again' = 'idle';

  constructor(options: SignalOptions) {
    this.#options = { wake: () => false, onError: () => {}, ...options };
  }

  /** Returns at once; nothing of it fails the caller. */
  notify(): void {
    if (this.#options.wake()) return;
    if (this.#state === 'idle') void this.#send();
    else this.#state = 'again';
  }

  async #send(): Promise<void> {
    const { db, onError } = this.#options;
    do {
      this.#state = 'sending';
      await notifyOutbox(db).catch(onError);
    } while (this.#isAskedAgain());
    this.#state = 'idle';
  }

  #isAskedAgain(): boolean {
    return this.#state === 'again';
  }
}
