import type { Direction, ProxyConnection, Tap } from '../wire/proxy.ts';
import { KafkaWire } from '../wire/wire-kafka.ts';

/**
 * Loses acknowledgements: the broker has taken what it was sent, its answer does not arrive, and the connection breaks.
 * `most` of them, each with a probability of `share`, for produce requests of one topic.
 */
export function ackLoser(
  topic: string,
  { most, share, random }: { most: number; share: number; random: () => number },
) {
  const wires = new Map<number, KafkaWire>();
  const doomed = new WeakSet<object>();
  let lost = 0;
  let produced = 0;

  const request = (wire: KafkaWire, chunk: Buffer) => {
    for (const each of wire.request(chunk)) {
      if (each.what !== `Produce ${topic}`) continue;
      produced++;
      if (lost < most && random() < share) doomed.add(each);
    }
  };
  const response = (wire: KafkaWire, chunk: Buffer, connection: ProxyConnection) => {
    if (!wire.response(chunk).some((answer) => doomed.has(answer.request))) return 'forward' as const;
    lost++;
    connection.reset();
    return 'hold' as const;
  };
  const tap: Tap = (direction: Direction, chunk, connection) => {
    const wire = wires.get(connection.id) ?? new KafkaWire();
    wires.set(connection.id, wire);
    if (direction === 'response') return response(wire, chunk, connection);
    request(wire, chunk);
    return 'forward';
  };
  return { tap, counts: () => ({ lost, produced }) };
}
