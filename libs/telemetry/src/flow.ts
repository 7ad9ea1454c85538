import type { GaugeOptions } from './telemetry.ts';
import { shared } from './metrics.ts';

/** What is read of an `EventConsumer` of @cairn/messaging. */
export type ConsumerShape = {
  status: string;
  lag(): Promise<{ topic: string; partition: number; lag: number }[]>;
  /** By subject: how many events wait for one that is missing. */
  held?(): Promise<{ count: number }[]>;
};

/** What is read of an `OutboxRelay` of @cairn/messaging. */
export type RelayShape = { stats(): Promise<{ depth: number; oldestAgeMs: number; parked?: number }> };

export type FlowParts = {
  /** Consumer group → its consumer. */
  consumers?: Record<string, ConsumerShape>;
  relay?: RelayShape;
};

/** Lag, membership, and what waits in the outbox. */
export function observeFlow(
  gauge: (name: string, options: GaugeOptions) => void,
  { consumers = {}, relay }: FlowParts,
): void {
  const groups = Object.entries(consumers);
  const group = (groupId: string) => ({ 'messaging.consumer.group.name': groupId });
  if (groups.length > 0) {
    gauge('messaging.consumer.joined', {
      unit: '{consumer}',
      description: '1 while a consumer is a member of its group, else 0',
      read: () =>
        groups.map(([id, { status }]) => ({ value: status === 'joined' ? 1 : 0, attributes: group(id) })),
    });
    gauge('messaging.consumer.lag', {
      unit: '{message}',
      description: 'Messages of a partition that its group has not committed yet',
      read: async () => {
        const lags = await Promise.all(
          groups.map(async ([id, consumer]) => ({ id, of: await consumer.lag() })),
        );
        return lags.flatMap(({ id, of }) =>
          of.map(({ topic, partition, lag }) => ({
            value: lag,
            attributes: {
              ...group(id),
              'messaging.destination.name': topic,
              'messaging.destination.partition.id': String(partition),
            },
          })),
        );
      },
    });
  }
  const holding = groups.flatMap(([id, consumer]) =>
    consumer.held ? [{ id, held: () => consumer.held!() }] : [],
  );
  if (holding.length > 0) {
    gauge('messaging.consumer.held', {
      unit: '{message}',
      description: 'Messages that wait for one of their subject that is missing',
      read: () =>
        Promise.all(
          holding.map(async ({ id, held }) => ({
            value: (await held()).reduce((sum, { count }) => sum + count, 0),
            attributes: group(id),
          })),
        ),
    });
  }
  if (!relay) return;
  const stats = shared(() => relay.stats());
  gauge('outbox.depth', {
    unit: '{event}',
    description: 'Events in the outbox that are not published yet',
    read: async () => (await stats()).depth,
  });
  gauge('outbox.oldest.age', {
    unit: 's',
    description: 'Age of the oldest event in the outbox, 0 when it is empty',
    read: async () => (await stats()).oldestAgeMs / 1000,
  });
  gauge('outbox.parked', {
    unit: '{event}',
    description: 'Events that the broker refuses for good, set aside in the outbox',
    read: async () => (await stats()).parked ?? 0,
  });
}
