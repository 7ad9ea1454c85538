import { randomUUID } from 'node:crypto';
import type { OutboxRow, OutboxStats, OutboxStore, Queryable, StoredRow } from './outbox.ts';
import { sqlOutbox } from './outbox.store.ts';
import type { Listen } from './signal.ts';
import { pause, untilStopped, type Sleep } from './pause.ts';

export type RelayOptions = ({ db: Queryable } | { store: OutboxStore }) & {
  /**
   * Resolves when the broker has acknowledged all of it, in order. Must have settled within `publishMs`. Rejects with
   * `refused: true` when the broker will never take it.
   */
  publish: (rows: OutboxRow[]) => Promise<void>;
  /** The longest that `publish` takes, in ms; below `leaseMs`. Default 2000. */
  publishMs?: number;
  /** Rows a round. Default 500. */
  batchSize?: number;
  /** Pause after a round that found nothing, in ms. Default 100. After one that failed it doubles, up to a second. */
  pollMs?: number;
  /** Hears of new rows and of a lease that was given back: `listenTo`. Default: it only polls. */
  listen?: Listen;
  /** The pause instead of `pollMs` while it listens, in ms: for rows whose NOTIFY was lost. Default 1000. */
  listeningPollMs?: number;
  /** How long a relay that died or was paused keeps the others waiting, in ms; they ask six times in it. Default 3000. */
  leaseMs?: number;
  /** What this relay is called in `outbox_lease`; each has its own. Default: a UUID. */
  holder?: string;
  /** A clock that never goes back and goes on while the process is stopped, in ms. Default `performance.now`. */
  now?: () => number;
  /** Resolves after `ms`, or once the signal is aborted. */
  sleep?: Sleep;
  onPublished?: (count: number) => void;
  /** A row was set aside: the broker refuses it for good. */
  onParked?: (row: StoredRow, error: unknown) => void;
  onError?: (error: unknown) => void;
};

type Lease = { epoch: string; untilMs: number };

const LONGEST_BACKOFF_MS = 1000;
/** How long a stop waits for the database, which may be away. */
const STOP_MS = 1000;

/**
 * Publishes outbox rows in the order of their ids and removes them once they are acknowledged: at least once, in order
 * per key. Any number of relays may run; the lease lets one of them publish at a time. Nothing remote is awaited inside a
 * transaction.
 *
 * What keeps the order: a send always begins with the first row that is still there, and there is one at a time. Two
 * relays that share rows out with SKIP LOCKED would turn the events of one key around; a relay that woke up too late sends
 * rows a second time, never one before an earlier one of its key.
 */
export class OutboxRelay {
  readonly #options: Required<Omit<RelayOptions, 'db' | 'store'>>;
  readonly #store: OutboxStore;
  #lease: Lease | undefined;
  #running: Promise<void> | undefined;
  #listening: { close(): Promise<void> } | undefined;
  #isListening = false;
  #isWoken = false;
  #isIdle = false;
  #rest = new AbortController();
  #stop = new AbortController();

  /** @throws when `publishMs` is not below `leaseMs` */
  constructor(options: RelayOptions) {
    const nothing = () => {};
    this.#store = 'store' in options ? options.store : sqlOutbox(options.db);
    this.#options = {
      publishMs: 2000,
      batchSize: 500,
      pollMs: 100,
      listen: () => ({ close: async () => {} }),
      listeningPollMs: 1000,
      leaseMs: 3000,
      holder: randomUUID(),
      now: () => performance.now(),
      sleep: pause,
      onPublished: nothing,
      onParked: nothing,
      onError: nothing,
      ...options,
    };
    const { publishMs, leaseMs } = this.#options;
    if (!(publishMs < leaseMs))
      throw new Error(
        `publishMs (${publishMs}) must be below leaseMs (${leaseMs}): a send must end within its lease`,
      );
  }

  start(): void {
    if (this.#running) return;
    this.#running = this.#run(this.#stop.signal);
    this.#listening = this.#options.listen({
      notified: (payload) => (this.#leads() || payload === 'released') && this.#wake(),
      connected: (up) => (this.#isListening = up),
    });
  }

  /**
   * Has the relay look at once instead of at the end of its pause; rows have been committed. False when another relay has the
   * lease, as far as this one knows: then that one is to be told.
   */
  wake(): boolean {
    if (!this.#leads()) return false;
    this.#wake();
    return true;
  }

  /**
   * Finishes the round in hand and gives the lease back, so that another relay takes over at once. A database that does not
   * answer is not waited for: the lease ends by itself.
   */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#rest.abort();
    await this.#running;
    this.#running = undefined;
    const { holder, onError } = this.#options;
    const ends = [this.#listening?.close(), this.#lease && this.#store.release(holder)];
    await Promise.all(ends.map((end) => end && this.#ask(end).catch(onError)));
    this.#lease = this.#listening = undefined;
    this.#isListening = false;
    this.#stop = new AbortController();
    this.#rest = new AbortController();
  }

  /** One round. Returns how many rows it published; 0 also when another relay holds the lease. */
  async relayOnce(): Promise<number> {
    const lease = await this.#hold();
    if (!lease) return 0;
    const { batchSize, holder } = this.#options;
    const rows = await this.#ask(this.#store.read(batchSize, holder, lease.epoch));
    return rows.length === 0 ? 0 : this.#deliver(rows, lease.epoch);
  }

  /**
   * How much waits and for how long, by the database's clock.
   * @throws when the database does not answer
   */
  stats(): Promise<OutboxStats> {
    return this.#store.stats();
  }

  /**
   * Publishes and removes rows, and says how many. Of rows that the broker refuses it finds the one that is to blame by
   * halves and parks it; what is behind it waits for that.
   */
  async #deliver(rows: StoredRow[], epoch: string): Promise<number> {
    // Reading took time, and so did the half before this one. A process that was stopped meanwhile finds out here.
    if ((await this.#hold())?.epoch !== epoch) return 0;
    const { publish, holder, onPublished } = this.#options;
    try {
      await publish(rows);
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (rows.length === 1) return this.#park(rows[0]!, error, epoch);
      const half = rows.length >> 1;
      return (
        (await this.#deliver(rows.slice(0, half), epoch)) + (await this.#deliver(rows.slice(half), epoch))
      );
    }
    const ids = rows.map(({ id }) => id);
    // What another holds, it publishes again: the lease that was read here is worth nothing any more.
    if ((await this.#ask(this.#store.remove(ids, holder, epoch))) === 0) this.#lease = undefined;
    onPublished(rows.length);
    return rows.length;
  }

  async #park(row: StoredRow, error: unknown, epoch: string): Promise<number> {
    const { holder, onParked } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    if (await this.#ask(this.#store.park(row.id, reason, holder, epoch))) onParked(row, error);
    else this.#lease = undefined;
    return 0;
  }

  /** A lease with enough left for a send, renewed when a third of it is used; undefined while another relay has it. */
  async #hold(): Promise<Lease | undefined> {
    const { now, leaseMs, publishMs, holder } = this.#options;
    const isGood = (lease: Lease, ms: number) => lease.untilMs - now() > ms;
    if (this.#lease && isGood(this.#lease, Math.max(publishMs, (leaseMs * 2) / 3))) return this.#lease;
    // Counted from before the question: it ends here before it ends there.
    const untilMs = now() + leaseMs;
    const taken = await this.#ask(this.#store.lease(holder, leaseMs));
    this.#lease = taken && { epoch: taken.epoch, untilMs };
    if (this.#lease && !isGood(this.#lease, publishMs))
      throw new Error(`the lease came so late that less than publishMs (${publishMs} ms) of it is left`);
    return this.#lease;
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return untilStopped(answer, { stop: this.#stop.signal, ms: STOP_MS, sleep: this.#options.sleep });
  }

  #leads(): boolean {
    return (
      this.#running !== undefined && this.#lease !== undefined && this.#lease.untilMs > this.#options.now()
    );
  }

  #wake(): void {
    this.#isWoken = true;
    if (this.#isIdle) this.#rest.abort();
  }

  async #run(stop: AbortSignal): Promise<void> {
    const { pollMs, onError } = this.#options;
    let failedMs = pollMs;
    while (!stop.aborted) {
      this.#isWoken = false;
      try {
        const published = await this.relayOnce();
        failedMs = pollMs;
        if (published === 0 && !this.#isWoken) await this.#idleFor(this.#pauseMs());
      } catch (error) {
        onError(error);
        // Nobody wakes it from this: new rows do not mend what failed.
        await this.#restFor(failedMs);
        failedMs = Math.min(failedMs * 2, LONGEST_BACKOFF_MS);
      }
    }
  }

  /** Who waits for the lease asks less often: what it waits for takes seconds. */
  #pauseMs(): number {
    const { pollMs, listeningPollMs, leaseMs } = this.#options;
    if (!this.#lease) return Math.max(pollMs, leaseMs / 6);
    // Whoever publishes renews its lease in time, also while there is nothing to do.
    return Math.min(this.#isListening ? Math.max(pollMs, listeningPollMs) : pollMs, leaseMs / 3);
  }

  async #idleFor(ms: number): Promise<void> {
    this.#isIdle = true;
    await this.#restFor(ms);
    this.#isIdle = false;
  }

  async #restFor(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#rest = new AbortController();
    await this.#options.sleep(ms, this.#rest.signal);
  }
}

function isRefused(error: unknown): boolean {
  return (error as { refused?: unknown } | undefined)?.refused === true;
}
