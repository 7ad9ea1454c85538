import type { EngineName } from '../../stack/types.ts';
import type { Direction, Proxy, ProxyConnection } from './proxy.ts';
import type { Verdict } from './proxy-pipe.ts';
import { HttpWire } from './wire-http.ts';
import { KafkaWire } from './wire-kafka.ts';
import { PostgresWire } from './wire-postgres.ts';
import { SmtpWire } from './wire-smtp.ts';
import type { Wire, WireRequest } from './wire.ts';

export type Door = Exclude<EngineName, 'redis'> | 'gateway';

const WIRES: Record<Door, new () => Wire> = {
  postgres: PostgresWire,
  kafka: KafkaWire,
  s3: HttpWire,
  gateway: HttpWire,
  smtp: SmtpWire,
};

export type Ambush = {
  matches: (request: WireRequest) => boolean;
  /** `before`: the server never gets it. `after`: it has done it, and the asker is never told. */
  when: 'before' | 'after';
  /** Only answers that bring rows count. Default: false. */
  withRows?: boolean;
  /** How many that fit are let by first. */
  skip: number;
  /** Called once, in the middle of it: what is held by then stays held. */
  hit: (request: WireRequest) => void;
};

/**
 * Reads along on one proxy from the first byte of every connection, and strikes in the middle of one exchange. Nothing in
 * the process on the other side knows of it.
 */
export class WireWatch {
  readonly #wires = new WeakMap<ProxyConnection, Wire>();
  readonly #newWire: () => Wire;
  readonly #edit: (chunk: Buffer) => Buffer | undefined;
  #ambush: Ambush | undefined;
  #skip = 0;
  #awaited = new WeakSet<WireRequest>();

  /** `edit` may put other bytes in the place of those of a request. Default: it does not. */
  constructor(proxy: Proxy, door: Door, edit: (chunk: Buffer) => Buffer | undefined = () => undefined) {
    this.#newWire = () => new WIRES[door]();
    this.#edit = edit;
    proxy.intercept((direction, chunk, connection) => this.#see(direction, chunk, connection));
  }

  lie(ambush: Ambush): void {
    this.#ambush = ambush;
    this.#skip = ambush.skip;
    this.#awaited = new WeakSet();
  }

  /** Nothing is struck any more. */
  leave(): void {
    this.#ambush = undefined;
  }

  #see(direction: Direction, chunk: Buffer, connection: ProxyConnection): Verdict {
    const wire = this.#wires.get(connection) ?? this.#newWire();
    this.#wires.set(connection, wire);
    if (direction === 'request') {
      for (const request of wire.request(chunk)) if (this.#asked(request)) return 'hold';
      return this.#edit(chunk) ?? 'forward';
    }
    for (const { request, ok, rows } of wire.response(chunk)) {
      const fits = this.#awaited.has(request) && ok && (rows > 0 || !this.#ambush?.withRows);
      if (fits && this.#strikes(request)) return 'hold';
    }
    return 'forward';
  }

  #asked(request: WireRequest): boolean {
    if (!this.#ambush?.matches(request)) return false;
    if (this.#ambush.when === 'before') return this.#strikes(request);
    this.#awaited.add(request);
    return false;
  }

  #strikes(request: WireRequest): boolean {
    const ambush = this.#ambush;
    if (!ambush || this.#skip-- > 0) return false;
    this.#ambush = undefined;
    ambush.hit(request);
    return true;
  }
}
