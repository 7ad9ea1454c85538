import type { Wire, WireAnswer, WireRequest } from './wire.ts';

const END = '\r\n.\r\n';

/**
 * SMTP (RFC 5321) without encryption: one line, one reply; after DATA and its 354 everything up to a line with a single dot
 * is the request `message`.
 */
export class SmtpWire implements Wire {
  #sent = '';
  #received = '';
  #inMessage = false;
  /** The server speaks first. */
  readonly #waiting: WireRequest[] = [{ what: 'greeting', within: [] }];

  request(chunk: Buffer): WireRequest[] {
    this.#sent += chunk.toString('latin1');
    const found: WireRequest[] = [];
    for (;;) {
      const mark = this.#inMessage ? END : '\r\n';
      const end = this.#sent.indexOf(mark);
      if (end < 0) break;
      const what = this.#inMessage ? 'message' : this.#sent.slice(0, end);
      this.#sent = this.#sent.slice(end + mark.length);
      this.#inMessage = false;
      found.push({ what, within: [] });
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
      if (line.startsWith('354')) this.#inMessage = true;
      if (request) found.push({ request, ok: line < '4', rows: 0 });
    }
    return found;
  }
}
