import { pauseAfter, type Backoff } from './backoff.ts';
import { reasonOf, within, type Clock } from './clock.ts';
import type { Finding } from './report.ts';

export type BackingService = {
  /**
   * Rejects when the service is not there; it will be called again. The signal aborts when its time is over or the process
   * leaves.
   */
  connect: (signal: AbortSignal) => unknown;
  disconnect: () => unknown;
  /**
   * Frees what a connect that hung has half open, so that the next finds nothing. Default: `disconnect`. Not for a client that
   * others use before it is connected here, or that can't be opened again.
   */
  abandon?: () => unknown;
  /** Rejects when the service is down. Default: it is up once it is connected. */
  check?: (signal: AbortSignal) => unknown;
  /** False: start-up does not wait for it, and readiness only degrades without it. Default true. */
  critical?: boolean;
};

export type Wait = { attempt: number; error: unknown; waitedMs: number; nextInMs: number };

export type ConnectionOptions = Backoff & {
  connectTimeoutMs: number;
  disconnectTimeoutMs: number;
  tellEveryMs: number;
  clock: Clock;
  random: () => number;
  onWait?: (name: string, wait: Wait) => void;
  onUp?: (name: string, up: { attempts: number; waitedMs: number }) => void;
  onStuck?: (name: string, error: unknown) => void;
};

/** One service: connecting is tried until it succeeds, by one caller at a time. */
export class Connection {
  readonly name: string;
  readonly critical: boolean;
  readonly service: BackingService;
  readonly #options: ConnectionOptions;
  #up = false;
  #closing = false;
  #connecting: Promise<void> | undefined;
  #leaving = new AbortController();
  #last: Wait | undefined;

  constructor(name: string, service: BackingService, options: ConnectionOptions) {
    this.name = name;
    this.critical = service.critical ?? true;
    this.service = service;
    this.#options = options;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Whether there is something to disconnect, or that is not disconnected yet. */
  get open(): boolean {
    return this.#up || this.#closing || this.#connecting !== undefined;
  }

  /** Resolves when it is up; a second call joins the first. Rejects only when it is told to leave. */
  connect(): Promise<void> {
    if (this.#up) return Promise.resolve();
    this.#connecting ??= this.#untilUp(this.#leaving.signal).finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /** Ends connecting; the connect in hand is aborted. */
  giveUp(reason: unknown): void {
    this.#leaving.abort(reason);
    this.#leaving = new AbortController();
  }

  /** Resolves when it is disconnected, or its time is over. */
  async disconnect(): Promise<void> {
    const connecting = this.#connecting;
    this.giveUp(new Error(`${this.name} is being disconnected`));
    // A connect that is given up leaves nothing open.
    await connecting?.catch(() => undefined);
    if (!this.#up) return;
    this.#up = false;
    this.#closing = true;
    await this.#end(this.service.disconnect);
    this.#closing = false;
  }

  /** How it stands while it is not up. */
  finding(): Finding {
    const status = this.critical ? 'down' : 'degraded';
    if (!this.#last) return { status, message: 'connecting' };
    const { attempt, error } = this.#last;
    return { status, message: `connecting, ${attempt} failed: ${reasonOf(error)}` };
  }

  async #untilUp(leaving: AbortSignal): Promise<void> {
    const { clock, random, onUp } = this.#options;
    const startedAt = clock.now();
    let toldAt = -Infinity;
    for (let attempt = 1; ; attempt++) {
      leaving.throwIfAborted();
      const error = await this.#try(leaving);
      const waitedMs = clock.now() - startedAt;
      if (error === undefined) {
        this.#up = true;
        this.#last = undefined;
        quietly(() => onUp?.(this.name, { attempts: attempt, waitedMs }));
        return;
      }
      leaving.throwIfAborted();
      const nextInMs = pauseAfter(attempt, this.#options, random);
      this.#last = { attempt, error, waitedMs, nextInMs };
      toldAt = this.#tell(this.#last, toldAt);
      await clock.sleep(nextInMs, { signal: leaving });
    }
  }

  /** Undefined when it is up, otherwise what was wrong. */
  async #try(leaving: AbortSignal): Promise<unknown> {
    const { clock, connectTimeoutMs } = this.#options;
    let settled = false;
    const work = async (signal: AbortSignal) => {
      try {
        await this.service.connect(signal);
      } finally {
        settled = true;
      }
    };
    try {
      await within(clock, connectTimeoutMs, work, leaving);
      return undefined;
    } catch (error) {
      // Whatever it has half open must be gone before the next connect: there are never two of one service.
      if (!settled) await this.#end(this.service.abandon ?? this.service.disconnect);
      return error ?? new Error('unknown');
    }
  }

  async #end(work: () => unknown): Promise<void> {
    const { clock, disconnectTimeoutMs, onStuck } = this.#options;
    try {
      await within(clock, disconnectTimeoutMs, () => work.call(this.service));
    } catch (error) {
      quietly(() => onStuck?.(this.name, error));
    }
  }

  #tell(wait: Wait, toldAt: number): number {
    const { clock, tellEveryMs, onWait } = this.#options;
    if (clock.now() - toldAt < tellEveryMs) return toldAt;
    quietly(() => onWait?.(this.name, wait));
    return clock.now();
  }
}

/** A listener that fails must not keep a service from being connected. */
function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // Its own trouble.
  }
}
