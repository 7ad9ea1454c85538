import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Pipe, type Verdict } from './proxy-pipe.ts';

/** `request`: from the client to the engine; `response`: back. */
export type Direction = 'request' | 'response';

export type ProxyConnection = {
  /** 1, 2, 3 …, by the order in which they were opened. */
  id: number;
  /** Forwards what the tap held back on this connection. */
  release(): void;
  /** Ends it with a TCP RST to both sides; what was held is lost. */
  reset(): void;
};

/**
 * Sees every chunk before it is sent on. `hold` keeps it and everything after it in that direction of that connection
 * until `connection.release()`; a client that goes meanwhile has never sent it. A chunk may have any part of a message,
 * or several. What waits behind a held chunk is shown as well.
 */
export type Tap = (direction: Direction, chunk: Buffer, connection: ProxyConnection) => Verdict;

export type ProxyOptions = {
  host: string;
  port: number;
  /** Where jitter comes from, in [0, 1). Default: `Math.random`. */
  random?: () => number;
};

type Link = ProxyConnection & { sockets: Socket[]; pipes: Pipe[] };

const DIRECTIONS: Direction[] = ['request', 'response'];

/**
 * A TCP proxy on 127.0.0.1 between one process and an engine, so that the network fails for that process alone. Its
 * port stays the same for life. Faults last until `pass()`, which heals the network: what waited arrives.
 */
export class Proxy {
  readonly #to: { host: string; port: number };
  readonly #random: () => number;
  readonly #links = new Set<Link>();
  readonly #cut = new Set<Direction>();
  readonly #busyUntil: Record<Direction, number> = { request: 0, response: 0 };
  #server: Server | undefined;
  #port = 0;
  #opened = 0;
  #latency = { ms: 0, jitterMs: 0 };
  #bytesPerS = Infinity;
  #tap: Tap | undefined;

  constructor({ host, port, random = Math.random }: ProxyOptions) {
    this.#to = { host, port };
    this.#random = random;
  }

  /** 0 until the first `pass()`. */
  get port(): number {
    return this.#port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** Lets everything through. The first call binds a port; a tap stays. */
  async pass(): Promise<void> {
    this.#latency = { ms: 0, jitterMs: 0 };
    this.#bytesPerS = Infinity;
    this.#cut.clear();
    this.#weatherChanged();
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#link(client));
    this.#server = server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Ends all connections and takes no more, as an engine that has stopped. Also what closes the proxy for good. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const link of this.#links) for (const socket of link.sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Keeps connections, takes new ones, and carries nothing, as an engine that hangs. */
  mute(): void {
    for (const direction of DIRECTIONS) this.#cut.add(direction);
    this.#weatherChanged();
  }

  /** Carries nothing in one direction: a request whose answer never comes, or an answer without its question. */
  cut(direction: Direction): void {
    this.#cut.add(direction);
    this.#weatherChanged();
  }

  /** Every chunk is `ms` later, give or take `jitterMs`, in each direction and in order. In ms. */
  latency(ms: number, jitterMs = 0): void {
    this.#latency = { ms, jitterMs };
  }

  /** All connections together share that many bytes a second, in each direction. */
  limit(bytesPerS: number): void {
    if (!(bytesPerS > 0)) throw new RangeError(`bytesPerS must be above 0, got ${bytesPerS}`);
    this.#bytesPerS = bytesPerS;
  }

  /** Ends every open connection by a TCP RST to both sides; new ones are taken. */
  reset(): void {
    for (const link of [...this.#links]) link.reset();
  }

  /** Asks `tap` about every chunk from now on; without one, none is held. What is held already stays so. */
  intercept(tap: Tap | undefined): void {
    this.#tap = tap;
  }

  #weatherChanged(): void {
    for (const link of this.#links) for (const pipe of link.pipes) pipe.weatherChanged();
  }

  #delayMs(direction: Direction, bytes: number): number {
    const now = performance.now();
    const { ms, jitterMs } = this.#latency;
    const from = Math.max(now, this.#busyUntil[direction]);
    if (Number.isFinite(this.#bytesPerS))
      this.#busyUntil[direction] = from + (bytes * 1000) / this.#bytesPerS;
    const queuedMs = Math.max(0, this.#busyUntil[direction] - now);
    return queuedMs + Math.max(0, ms + (this.#random() * 2 - 1) * jitterMs);
  }

  #link(client: Socket): void {
    const engine = connect({ ...this.#to, allowHalfOpen: true, noDelay: true });
    const sockets = [client, engine];
    const link: Link = {
      id: ++this.#opened,
      sockets,
      pipes: [],
      release: () => link.pipes.forEach((pipe) => pipe.release()),
      reset: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    };
    const pipe = (direction: Direction, from: Socket, to: Socket) =>
      new Pipe(
        from,
        to,
        { delayMs: (bytes) => this.#delayMs(direction, bytes), cut: () => this.#cut.has(direction) },
        (chunk) => this.#tap?.(direction, chunk, link) ?? 'forward',
      );
    link.pipes.push(pipe('request', client, engine), pipe('response', engine, client));
    this.#links.add(link);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      // Refused or reset: the other side learns it the same way.
      one.once('error', () => other.resetAndDestroy());
      one.once('close', (failed) => this.#closed(link, other, failed));
    }
  }

  #closed(link: Link, other: Socket, failed: boolean): void {
    if (failed) other.destroy();
    else other.destroySoon();
    if (link.sockets.some((socket) => !socket.destroyed)) return;
    for (const pipe of link.pipes) pipe.close();
    this.#links.delete(link);
  }
}
