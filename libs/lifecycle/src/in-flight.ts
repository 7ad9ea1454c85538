import type { Health } from './health.ts';
import { closeWhileDraining } from './health.routes.ts';

/** What is needed of a Fastify instance. */
type Reply = {
  raw: { once(event: 'close', listener: () => void): unknown };
  header(name: string, value: string): unknown;
};
type Server = {
  addHook(name: 'onRequest', hook: (request: unknown, reply: Reply, done: () => void) => void): unknown;
};

/** Counts the work in hand, so that a process that leaves can say what it waits for. */
export class InFlight {
  readonly #waiting = new Set<() => void>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** One more is under way. Call what it returns when that has ended; a second call does nothing. */
  begin(): () => void {
    this.#count++;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      if (--this.#count > 0) return;
      for (const resolve of this.#waiting) resolve();
      this.#waiting.clear();
    };
  }

  /** Resolves as soon as nothing is under way. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.add(resolve));
  }

  /**
   * Counts the requests of a Fastify server, aborted ones included. Given the process' `health`, answers carry
   * `Connection: close` while it drains.
   */
  hooks(server: Server, health?: Health): void {
    server.addHook('onRequest', (_, reply, done) => {
      reply.raw.once('close', this.begin());
      done();
    });
    if (health) closeWhileDraining(server as never, health);
  }
}
