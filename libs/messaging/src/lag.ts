/** How many messages of a partition a group has not committed yet. */
export type Lag = { topic: string; partition: number; lag: number };

type Committed = { topic: string; partitions: { partition: number; offset: string }[] };
type Ends = { topic: string; partitions: { partition: number; offset: string; low: string }[] };

/** In order of the partitions, which brokers do not keep. A partition of which nothing is committed counts from its first message, where a new group begins. */
export function lagOf(committed: Committed[], ends: Ends[]): Lag[] {
  const place = (topic: string, partition: number) => `${topic}/${partition}`;
  const done = new Map(
    committed.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [place(topic, partition), Number(offset)]),
    ),
  );
  return ends.flatMap(({ topic, partitions }) =>
    partitions.toSorted(byPartition).map(({ partition, offset: end, low }) => {
      const next = done.get(place(topic, partition)) ?? -1;
      // Retention may have taken messages that were never committed: they are gone, not waiting.
      return { topic, partition, lag: Math.max(0, Number(end) - Math.max(next, Number(low))) };
    }),
  );
}

const byPartition = (a: { partition: number }, b: { partition: number }) => a.partition - b.partition;
