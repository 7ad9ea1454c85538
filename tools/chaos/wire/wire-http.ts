import type { Wire, WireAnswer, WireRequest } from './wire.ts';

type Head = { first: string; headers: Map<string, string> };

/** HTTP/1.1 (RFC 9112): a request is told when its head is whole, its answer with the last byte of the body. */
export class HttpWire implements Wire {
  readonly #waiting: WireRequest[] = [];
  readonly #requests = new Parts(({ headers }) => bodyOf(headers, 0));
  readonly #answers = new Parts(({ first, headers }) => {
    const status = statusOf(first);
    const head = this.#waiting[0]?.what.startsWith('HEAD ') ?? false;
    if (head || status < 200 || status === 204 || status === 304) return 0;
    return bodyOf(headers, Infinity);
  });

  request(chunk: Buffer): WireRequest[] {
    return this.#requests.take(chunk).heads.map(({ first }) => {
      const request = { what: first.replace(/ HTTP\/1\.\d$/, ''), within: [] };
      this.#waiting.push(request);
      return request;
    });
  }

  response(chunk: Buffer): WireAnswer[] {
    return this.#answers.take(chunk).wholes.flatMap(({ first }) => {
      const status = statusOf(first);
      if (status < 200) return []; // 100 Continue: the answer is yet to come
      const request = this.#waiting.shift();
      return request ? [{ request, ok: status < 400, rows: 0 }] : [];
    });
  }
}

const statusOf = (first: string) => Number(first.split(' ')[1]);

const bodyOf = (headers: Map<string, string>, otherwise: number) =>
  headers.get('transfer-encoding') === 'chunked'
    ? 'chunked'
    : Number(headers.get('content-length') ?? otherwise);

/** Heads and bodies in turn. */
class Parts {
  readonly #bodyOf: (head: Head) => number | 'chunked';
  #rest: Buffer = Buffer.alloc(0);
  #head: Head | undefined;
  #left: number | 'chunked' = 0;

  constructor(bodyOf: (head: Head) => number | 'chunked') {
    this.#bodyOf = bodyOf;
  }

  /** The heads that are whole now, and the heads of what is whole now, body and all. */
  take(chunk: Buffer): { heads: Head[]; wholes: Head[] } {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const heads: Head[] = [];
    const wholes: Head[] = [];
    for (;;) {
      if (!this.#head) {
        const end = this.#rest.indexOf('\r\n\r\n');
        if (end < 0) return { heads, wholes };
        this.#head = headOf(this.#rest.toString('latin1', 0, end));
        this.#rest = this.#rest.subarray(end + 4);
        this.#left = this.#bodyOf(this.#head);
        heads.push(this.#head);
      }
      if (!this.#body()) return { heads, wholes };
      wholes.push(this.#head);
      this.#head = undefined;
    }
  }

  /** Takes what is there of the body; true when that was its end. */
  #body(): boolean {
    if (this.#left !== 'chunked') {
      const taken = Math.min(this.#left, this.#rest.length);
      this.#rest = this.#rest.subarray(taken);
      this.#left -= taken;
      return this.#left === 0;
    }
    for (;;) {
      const line = this.#rest.indexOf('\r\n');
      if (line < 0) return false;
      const size = Number.parseInt(this.#rest.toString('latin1', 0, line), 16);
      const end = line + 2 + size + 2;
      if (this.#rest.length < end) return false;
      this.#rest = this.#rest.subarray(end);
      if (size === 0) return true;
    }
  }
}

function headOf(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [
      line.slice(0, colon).toLowerCase(),
      line
        .slice(colon + 1)
        .trim()
        .toLowerCase(),
    ];
  });
  return { first, headers: new Map(headers) };
}
