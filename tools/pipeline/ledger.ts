/**
 * What an environment ran and runs, as tags of the image in its registry: `production-3` is the third release there, and
 * `production-4-back` the one that took it back. A tag is written once, by the pipeline, and never moved; what is deployed is
 * always the digest. So the history is where the images are, and needs no store of its own.
 */
export type Entry = { environment: string; number: number; kind: 'promoted' | 'back'; digest: string };

const TAG = /^([a-z]+)-(\d+)(-back)?$/;

/** The entry that a tag stands for; undefined for other tags, such as those of commits. */
export function entryOf(tag: string, digest: string): Entry | undefined {
  const [, environment, number, back] = TAG.exec(tag) ?? [];
  if (!environment) return undefined;
  return { environment, number: Number(number), kind: back ? 'back' : 'promoted', digest };
}

/** The tag under which the next entry is written. */
export function nextTag(entries: readonly Entry[], environment: string, kind: Entry['kind']): string {
  const numbers = entries.filter((entry) => entry.environment === environment).map(({ number }) => number);
  return `${environment}-${Math.max(0, ...numbers) + 1}${kind === 'back' ? '-back' : ''}`;
}

/**
 * The releases of an environment that count, oldest first; the last one is in force. What was taken back is none of them, so that
 * a second rollback goes one further back and not forth again.
 */
export function standing(entries: readonly Entry[], environment: string): string[] {
  const own = entries.filter((entry) => entry.environment === environment);
  const stack: string[] = [];
  for (const { kind, digest } of own.toSorted((a, b) => a.number - b.number)) {
    if (kind === 'back') stack.pop();
    else if (stack.at(-1) !== digest) stack.push(digest);
  }
  return stack;
}
