const ALMOST_ONE = 1 - 1e-6;

type Entry = { what: 'call' | 'retry' | 'now'; atMs: number };

/** The retry budget by its rules: it counts again all that was earned and spent since the beginning. */
export class ReferenceBudget {
  readonly #settings: { ratio: number; perSecond: number } | undefined;
  readonly #startedAtMs: number;
  readonly #entries: Entry[] = [];

  constructor(settings: { ratio: number; perSecond: number } | undefined, startedAtMs: number) {
    this.#settings = settings;
    this.#startedAtMs = startedAtMs;
  }

  earn(atMs: number): void {
    this.#entries.push({ what: 'call', atMs });
  }

  spend(atMs: number): void {
    this.#entries.push({ what: 'retry', atMs });
  }

  affords(nowMs: number): boolean {
    if (!this.#settings) return true;
    const { ratio, perSecond } = this.#settings;
    const most = Math.max(10, 10 * perSecond);
    let tokens = perSecond > 0 ? Math.max(1, perSecond) : 0;
    let atMs = this.#startedAtMs;
    for (const entry of [...this.#entries, { what: 'now', atMs: nowMs }]) {
      tokens = Math.min(most, tokens + ((entry.atMs - atMs) / 1_000) * perSecond);
      if (entry.what === 'call') tokens = Math.min(most, tokens + ratio);
      if (entry.what === 'retry') tokens = Math.max(0, tokens - 1);
      atMs = entry.atMs;
    }
    return tokens >= ALMOST_ONE;
  }
}
