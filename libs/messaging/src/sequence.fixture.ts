import { sequenceOf } from './event.ts';
import type { HeldEvent, Numbered, SequenceStore } from './sequence.ts';

/** The tables of `SEQUENCE_TABLES` in memory, for tests of what stands on them. */
export function memorySequence(): SequenceStore {
  const keys = new Map<string, { applied: number; held: Map<number, HeldEvent & { since: Date }> }>();
  const keyOf = (consumer: string, { source, subject }: Numbered) => {
    const id = JSON.stringify([consumer, source, subject]);
    if (!keys.has(id)) keys.set(id, { applied: 0, held: new Map() });
    return keys.get(id)!;
  };
  const apply = async (consumer: string, event: Numbered) => {
    const key = keyOf(consumer, event);
    key.applied = Math.max(key.applied, sequenceOf(event)!);
    for (const number of key.held.keys()) if (number <= key.applied) key.held.delete(number);
    const next = key.held.get(key.applied + 1);
    return next && { event: next.event, topic: next.topic, partition: next.partition, offset: next.offset };
  };
  return {
    async admit(consumer, event, { topic, partition, offset }) {
      const { applied, held } = keyOf(consumer, event);
      const number = sequenceOf(event)!;
      if (number <= applied) return 'old';
      if (number === applied + 1) return 'next';
      if (!held.has(number)) held.set(number, { event, topic, partition, offset, since: new Date() });
      return 'held';
    },
    applied: apply,
    async skip(consumer, event) {
      const { applied } = keyOf(consumer, event);
      if (sequenceOf(event)! > applied + 1)
        throw new Error(`${event.subject}: ${applied + 1} is missing as well`);
      return apply(consumer, event);
    },
    async held(consumer) {
      return [...keys].flatMap(([id, { applied, held }]) => {
        const [of, source, subject] = JSON.parse(id) as [string, string, string];
        const waiting = [...held].filter(([number]) => number > applied + 1).map(([, each]) => each);
        const [first] = waiting.toSorted((a, b) => +a.since - +b.since);
        if (of !== consumer || !first) return [];
        const { topic, since } = first;
        return [{ source, subject, topic, waitsFor: applied + 1, count: waiting.length, since }];
      });
    },
  };
}
