import type { Wire, WireAnswer, WireRequest } from './wire.ts';

const END = '\r\n.\r\n';

/**
 * SMTP (RFC 5321) without encryption: one line, one reply; after DATA and its 354 everything up to a line with a single dot
 * is the request `message`, told of by its first byte: a server may keep what was cut off before its end.
 */
export class SmtpWire implements Wire {
  #sent = '';
  #received = '';
  #message: 'none' | 'awaited' | 'begun' = 'none';
  /** The server speaks first. */
  readonly #waiting: WireRequest[] = [{ what: 'greeting', within: [] }];

  request(chunk: Buffer): WireRequest[] {
    this.#sent += chunk.toString('latin1');
    const found: WireRequest[] = [];
    for (;;) {
      if (this.#message === 'awaited' && this.#sent) {
        this.#message = 'begun';
        found.push({ what: 'message', within: [] });
      }
      const mark = this.#message === 'begun' ? END : '\r\n';
      const end = this.#sent.indexOf(mark);
      if (end < 0) break;
      if (this.#message === 'none') found.push({ what: this.#sent.slice(0, end), within: [] });
      this.#sent = this.#sent.slice(end + mark.length);
      this.#message = 'none';
    }
    this.#waiting.push(...found);
    return found;
  }

  response(chunk: Buffer): WireAnswer[] {
    this.#received += chunk.toString('latin1');
    const found: WireAnswer[] = [];
    for (let end; (end = this.#received.indexOf('\r\n')) >= 0;) {
      const line = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 2);
      if (line[3] === '-') continue; // more lines of this reply follow
      const request = this.#waiting.shift();
      if (line.startsWith('354')) this.#message = 'awaited';
      if (request) found.push({ request, ok: line < '4', rows: 0 });
    }
    return found;
  }
}
