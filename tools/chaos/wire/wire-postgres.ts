import { Messages, type Wire, type WireAnswer, type WireRequest } from './wire.ts';

/** Asks for encryption instead of starting a session: the server answers with one byte. */
const ENCRYPTION = [80877103, 80877104];

/**
 * PostgreSQL's protocol 3, without encryption (https://www.postgresql.org/docs/current/protocol-message-formats.html):
 * a type byte and a length, but for the first message of a session. A request is a simple query or a parsed statement,
 * and ends with ReadyForQuery.
 */
export class PostgresWire implements Wire {
  #started = false;
  #asksForByte = false;
  #transaction: string[] | undefined;
  #waiting: WireRequest[] = [];
  #answer = { ok: true, rows: 0 };
  readonly #requests = new Messages((bytes) => {
    const typed = this.#started ? 1 : 0;
    return bytes.length < typed + 4 ? undefined : typed + bytes.readInt32BE(typed);
  });
  readonly #answers = new Messages((bytes) => {
    if (this.#asksForByte) return 1;
    return bytes.length < 5 ? undefined : 1 + bytes.readInt32BE(1);
  });

  request(chunk: Buffer): WireRequest[] {
    const found: WireRequest[] = [];
    for (const message of this.#requests.take(chunk)) {
      const sql = this.#started ? sqlOf(message) : this.#begin(message);
      if (sql === undefined) continue;
      const what = sql.replace(/\s+/g, ' ').trim();
      const request = { what, within: [...(this.#transaction ?? [])] };
      this.#follow(what);
      this.#waiting.push(request);
      found.push(request);
    }
    return found;
  }

  response(chunk: Buffer): WireAnswer[] {
    const found: WireAnswer[] = [];
    for (const message of this.#answers.take(chunk)) {
      if (this.#asksForByte) {
        this.#asksForByte = false;
        continue;
      }
      const type = String.fromCharCode(message[0]!);
      if (type === 'D') this.#answer.rows += 1;
      if (type === 'E') this.#answer.ok = false;
      if (type !== 'Z') continue;
      const request = this.#waiting.shift(); // none after the start-up
      if (request) found.push({ request, ...this.#answer });
      this.#answer = { ok: true, rows: 0 };
    }
    return found;
  }

  #begin(message: Buffer): undefined {
    if (ENCRYPTION.includes(message.readInt32BE(4))) this.#asksForByte = true;
    else this.#started = true;
  }

  #follow(what: string): void {
    if (/^(BEGIN|START TRANSACTION)\b/i.test(what)) this.#transaction = [];
    else if (/^(COMMIT|ROLLBACK|END)\b/i.test(what)) this.#transaction = undefined;
    else this.#transaction?.push(what);
  }
}

/** The text of Query (`Q`) and Parse (`P`, behind the statement's name); undefined for all else. */
function sqlOf(message: Buffer): string | undefined {
  const type = String.fromCharCode(message[0]!);
  if (type !== 'Q' && type !== 'P') return undefined;
  const from = type === 'Q' ? 5 : message.indexOf(0, 5) + 1;
  return message.toString('utf8', from, message.indexOf(0, from));
}
