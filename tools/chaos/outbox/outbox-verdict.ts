export type OutboxFacts = {
  /** Key → how many events were committed for it; they are numbered from 1. */
  written: Record<string, number>;
  /** What the consumer got, in its order. */
  seen: { key: string; n: number }[];
  /** How the relay that published was ended or paused, and how long nobody published; undefined when nobody took over. */
  takeOvers: { how: string; ms: number | undefined }[];
  /** Rows that were removed by a relay while another one held the lease. */
  usurped: number;
  /** Rows that are still in the outbox at the end. */
  left: number;
};

const TAKEOVER_MS = 5000;

/** Events that never came; those that came for the first time after a later one of their key; those that came again. */
export function orderOf({ written, seen }: Pick<OutboxFacts, 'written' | 'seen'>) {
  const known = new Map<string, { numbers: Set<number>; last: number }>();
  let [inversions, doubles] = [0, 0];
  for (const { key, n } of seen) {
    const of = known.get(key) ?? { numbers: new Set<number>(), last: 0 };
    known.set(key, of);
    if (of.numbers.has(n)) doubles++;
    else if (n < of.last) inversions++;
    of.numbers.add(n);
    of.last = Math.max(of.last, n);
  }
  const lost = Object.entries(written).reduce((sum, [key, count]) => {
    const numbers = known.get(key)?.numbers ?? new Set();
    return sum + Array.from({ length: count }, (_, i) => i + 1).filter((n) => !numbers.has(n)).length;
  }, 0);
  return { lost, inversions, doubles };
}

/** What is wrong; nothing when all is well. */
export function outboxViolations(facts: OutboxFacts): string[] {
  const { lost, inversions } = orderOf(facts);
  const { takeOvers, usurped, left } = facts;
  return [
    ...(lost > 0 ? [`${lost} events were committed and never came`] : []),
    ...(inversions > 0 ? [`${inversions} events came after a later one of their key`] : []),
    ...(usurped > 0 ? [`${usurped} rows were removed by a relay that did not hold the lease`] : []),
    ...(left > 0 ? [`${left} rows are left in the outbox`] : []),
    ...takeOvers
      .filter(({ ms }) => ms === undefined || ms > TAKEOVER_MS)
      .map(({ how, ms }) =>
        ms ? `nobody took over for ${ms} ms after ${how}` : `nobody took over after ${how}`,
      ),
  ];
}
