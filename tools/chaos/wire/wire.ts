/** One request as it was read off the wire. */
export type WireRequest = {
  /** What is asked: `INSERT INTO orders …`, `Produce orders`, `POST /v1/charges`, `message`. */
  what: string;
  /** What was asked before it in the same transaction; empty where there is none. */
  within: readonly string[];
};

/** The end of an answer: with the bytes at hand the asker knows all of it. */
export type WireAnswer = {
  request: WireRequest;
  /** The server did what was asked. */
  ok: boolean;
  /** How many rows came back; 0 where there are none. */
  rows: number;
};

/**
 * Follows one connection from its first byte. Each call gets the next chunk, cut wherever TCP has cut it, and answers what
 * has come to its end in it: requests as soon as it is clear what they ask, answers when they are whole.
 */
export type Wire = {
  request(chunk: Buffer): WireRequest[];
  response(chunk: Buffer): WireAnswer[];
};

/** Keeps what is not yet a whole message. `lengthOf` says how many bytes the first one has, undefined while unknown. */
export class Messages {
  #rest: Buffer = Buffer.alloc(0);
  readonly #lengthOf: (bytes: Buffer) => number | undefined;

  constructor(lengthOf: (bytes: Buffer) => number | undefined) {
    this.#lengthOf = lengthOf;
  }

  *take(chunk: Buffer): Generator<Buffer> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const length = this.#rest.length === 0 ? undefined : this.#lengthOf(this.#rest);
      if (length === undefined || this.#rest.length < length) return;
      const message = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      yield message;
    }
  }
}
