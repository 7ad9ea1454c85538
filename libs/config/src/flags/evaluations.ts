/** One way in which a flag has been answered, and how often. */
export type Evaluation = { reason: string; variant?: string; errorCode?: string; count: number };

/** A misspelt flag is found by its name; names that somebody makes up without end are not all kept. */
const MOST_UNKNOWN = 100;

/** Counts how flags are answered. It keeps one number per flag and answer, and no targeting key. */
export class Evaluations {
  readonly #known: ReadonlySet<string>;
  readonly #byFlag = new Map<string, Map<string, Evaluation>>();

  /** @param known the flags that there are; of others, only the first 100 are told apart */
  constructor(known: Iterable<string>) {
    this.#known = new Set(known);
  }

  add(flag: string, { reason, variant, errorCode }: Omit<Evaluation, 'count'>): void {
    let answers = this.#byFlag.get(flag);
    if (!answers) {
      if (!this.#known.has(flag) && this.unknown().length >= MOST_UNKNOWN) return;
      this.#byFlag.set(flag, (answers = new Map()));
    }
    const answer = `${reason} ${errorCode ?? variant}`;
    const seen = answers.get(answer);
    if (seen) seen.count++;
    else answers.set(answer, { reason, ...(errorCode ? { errorCode } : { variant }), count: 1 });
  }

  of(flag: string): Evaluation[] {
    return [...(this.#byFlag.get(flag)?.values() ?? [])].map((evaluation) => ({ ...evaluation }));
  }

  /** Flags that were asked for though there are none of that name. */
  unknown(): string[] {
    return [...this.#byFlag.keys()].filter((flag) => !this.#known.has(flag));
  }
}
