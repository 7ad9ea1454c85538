import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * Stands between one process and an engine, so that the engine can be away for that process alone: `refuse()` ends its
 * connections and takes no more, as an engine that has stopped; `mute()` keeps them and says nothing more, as one that hangs.
 */
export class Proxy {
  readonly #to: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #muted = false;

  constructor(to: { host: string; port: number }) {
    this.#to = to;
  }

  get port(): number {
    return this.#port;
  }

  /** Lets everything through; at the first call on a port of its own, which it keeps. */
  async pass(): Promise<void> {
    this.#muted = false;
    for (const socket of this.#sockets) socket.resume();
    if (this.#server) return;
    this.#server = createServer((client) => this.#pair(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  mute(): void {
    this.#muted = true;
    for (const socket of this.#sockets) socket.pause();
  }

  #pair(client: Socket): void {
    const engine = connect(this.#to);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('data', (chunk) => void other.write(chunk));
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on('error', () => one.destroy());
      if (this.#muted) one.pause();
    }
  }
}
