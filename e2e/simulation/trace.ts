import { createHash } from 'node:crypto';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * What happened, line by line, as a hash and the last lines. The code under test makes random ids: a line says `#3` for the
 * third one that the trace has seen, so that the same seed gives the same lines.
 */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #names = new Map<string, string>();
  readonly #keep: number;
  #lines: string[] = [];
  #unhashed = '';

  constructor(keep = 60) {
    this.#keep = keep;
  }

  add(atMs: number, text: string): void {
    const line = `${(atMs / 1000).toFixed(3).padStart(8)} s  ${this.named(text)}`;
    this.#unhashed += `${line}\n`;
    if (this.#unhashed.length > 16_384) this.#flush();
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep);
  }

  /** The text with `#1`, `#2` … in place of ids. */
  named(text: string): string {
    return text.replace(UUID, (id) => {
      let name = this.#names.get(id);
      if (!name) this.#names.set(id, (name = `#${this.#names.size + 1}`));
      return name;
    });
  }

  tail(): string[] {
    return this.#lines.slice(-this.#keep);
  }

  /** Of all lines so far. */
  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #flush(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }
}
