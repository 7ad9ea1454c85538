import { createHash } from 'node:crypto';
import { Problem } from './problem.ts';

type Entry<Result> = { fingerprint: string; done: Result | undefined; outcome: Promise<Result> };

/**
 * Runs the work of each key once. Whoever comes with the same key while it runs waits for it; whoever comes later gets
 * the stored result. Work that throws has done nothing, so it frees its key.
 */
export class IdempotencyKeys<Result> {
  readonly #entries = new Map<string, Entry<Result>>();

  /** @throws {Problem} `idempotency_key_reused` when the key came with another body before */
  async run(
    key: string,
    fingerprint: string,
    work: () => Promise<Result>,
  ): Promise<{ result: Result; replayed: boolean }> {
    const known = this.#entries.get(key);
    if (known) {
      if (known.fingerprint !== fingerprint) throw new Problem('idempotency_key_reused');
      return { result: await known.outcome, replayed: true };
    }
    const entry: Entry<Result> = { fingerprint, done: undefined, outcome: work() };
    this.#entries.set(key, entry);
    try {
      entry.done = await entry.outcome;
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
    return { result: entry.done, replayed: false };
  }

  /** Puts back a result of an earlier life. */
  restore(key: string, fingerprint: string, done: Result): void {
    this.#entries.set(key, { fingerprint, done, outcome: Promise.resolve(done) });
  }

  /** @throws {Problem} `request_in_progress`: neither "done" nor "not done" would be true yet */
  find(key: string): Result | undefined {
    const entry = this.#entries.get(key);
    if (entry && entry.done === undefined) throw new Problem('request_in_progress');
    return entry?.done;
  }

  /** Forgets what is done; work under way keeps its key. */
  clear(): void {
    for (const [key, entry] of this.#entries) if (entry.done !== undefined) this.#entries.delete(key);
  }
}

/** Equal for equal bodies whatever the order of their fields. A hash, so that no card token lands in the journal. */
export function fingerprint(body: unknown): string {
  return createHash('sha256').update(canonical(body)).digest('base64url');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
