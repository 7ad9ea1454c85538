import { Connection, type BackingService, type ConnectionOptions, type Wait } from './backing-service.ts';
import { GuardedCheck } from './check.ts';
import { systemClock, type Clock } from './clock.ts';
import type { Health } from './health.ts';
import { reportOf, type Finding, type Findings, type HealthReport } from './report.ts';

export type BackingServicesOptions = {
  /** Longest pause after the first failure, in ms; doubled by each further one. Default 200. */
  minDelayMs?: number;
  /** Longest pause between two attempts, in ms. Default 5000. */
  maxDelayMs?: number;
  /** How long one attempt may take, in ms. Default 10,000. */
  connectTimeoutMs?: number;
  /** How long one service may take to disconnect, in ms. Default 5000. */
  disconnectTimeoutMs?: number;
  /** Shortest time between two calls of `onWait` for one service, in ms. Default 5000. */
  tellEveryMs?: number;
  /** What is waited for, told after the first failed attempt and then at most every `tellEveryMs`. */
  onWait?: (name: string, wait: Wait) => void;
  /** A service is connected. */
  onUp?: (name: string, up: { attempts: number; waitedMs: number }) => void;
  /** A service did not disconnect in time, or failed to. */
  onStuck?: (name: string, error: unknown) => void;
  /** For tests. */
  clock?: Clock;
  /** For tests: the jitter, in [0, 1). */
  random?: () => number;
};

/**
 * All that is attached by URL (factor 4), connected and disconnected together. A process starts before its database does: each
 * is tried until it is there, and what is waited for is said.
 */
export class BackingServices {
  readonly #connections = new Map<string, Connection>();
  readonly #options: ConnectionOptions;

  /** @throws RangeError for a time that is not above 0 */
  constructor(options: BackingServicesOptions = {}) {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.#options = {
      minDelayMs: 200,
      maxDelayMs: 5000,
      connectTimeoutMs: 10_000,
      disconnectTimeoutMs: 5000,
      tellEveryMs: 5000,
      clock: systemClock,
      random: Math.random,
      ...given,
    };
    for (const name of [
      'minDelayMs',
      'maxDelayMs',
      'connectTimeoutMs',
      'disconnectTimeoutMs',
      'tellEveryMs',
    ] as const) {
      const ms = this.#options[name];
      if (!(ms > 0)) throw new RangeError(`${name} must be above 0, got ${ms}`);
    }
  }

  /** @throws RangeError for a name that is there already */
  attach(name: string, service: BackingService): this {
    if (this.#connections.has(name)) throw new RangeError(`there is a service "${name}" already`);
    this.#connections.set(name, new Connection(name, service, this.#options));
    return this;
  }

  /**
   * Connects all of them in parallel, each tried without end; resolves when the critical ones are up, while the others go on in
   * the background. Calling it again is harmless.
   *
   * @throws the signal's reason when it aborts before that
   */
  async connectAll({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    const giveUp = () => this.#all.forEach((connection) => connection.giveUp(signal?.reason));
    signal?.addEventListener('abort', giveUp, { once: true });
    const optional = this.#all.filter(({ critical }) => !critical).map((connection) => connection.connect());
    for (const connecting of optional) connecting.catch(() => undefined);
    const critical = this.#all.filter((connection) => connection.critical);
    await Promise.all(critical.map((connection) => connection.connect()));
  }

  /** Disconnects all of them in parallel, each within its time; never rejects. */
  async disconnectAll(): Promise<void> {
    await Promise.all(this.#all.map((connection) => connection.disconnect()));
  }

  /** Asks all of them in parallel, each at most a second. */
  async healthCheckAll(): Promise<HealthReport> {
    const ask = async (connection: Connection): Promise<[string, Finding]> => {
      const { name, critical } = connection;
      const check = new GuardedCheck((s) => this.#check(connection, s), this.#options.clock, { critical });
      return [name, await check.ask()];
    };
    return reportOf(Object.fromEntries(await Promise.all(this.#all.map(ask))));
  }

  /** The critical services that are not connected. */
  get waitingFor(): string[] {
    return this.#all.filter(({ critical, up }) => critical && !up).map(({ name }) => name);
  }

  /** The services that there is something to disconnect of. */
  get open(): string[] {
    return this.#all.filter(({ open }) => open).map(({ name }) => name);
  }

  /** Adds each service to readiness, and to start-up what it waits for. */
  register(health: Health): this {
    for (const connection of this.#all) {
      const { name, critical } = connection;
      health.add(name, (signal) => this.#check(connection, signal), { critical });
    }
    health.waitFor((): Findings => {
      const waited = this.#all.filter(({ critical, up }) => critical && !up);
      return Object.fromEntries(waited.map((connection) => [connection.name, connection.finding()]));
    });
    return this;
  }

  async #check(connection: Connection, signal: AbortSignal): Promise<unknown> {
    if (!connection.up) throw new Error(connection.finding().message);
    return connection.service.check?.(signal);
  }

  get #all(): Connection[] {
    return [...this.#connections.values()];
  }
}
