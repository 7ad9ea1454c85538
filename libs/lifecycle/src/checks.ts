import type { Check } from './check.ts';

/** A check that is down, with figures for the report. */
class FoundError extends Error {
  readonly details: Record<string, unknown>;
  constructor(message: string, details: Record<string, unknown>) {
    super(message);
    this.details = details;
  }
}

export type ConsumerShape = {
  status: 'starting' | 'joined' | 'crashed' | 'stopped' | (string & {});
  lag?: () => Promise<{ lag: number | bigint }[]>;
};

/**
 * Whether a consumer of events has joined its group and keeps up. Down: it is not `joined`, or it lags by more than `maxLag`
 * messages over all partitions (default: any lag will do). A lag that cannot be had now is no reason to be down.
 */
export function consumerCheck(consumer: ConsumerShape, { maxLag = Infinity } = {}): Check {
  return async () => {
    const { status } = consumer;
    if (status !== 'joined') throw new FoundError(`the consumer is ${status}`, {});
    const lags = await consumer.lag?.().catch(() => undefined);
    if (!lags) return {};
    const lag = lags.reduce((sum, partition) => sum + Number(partition.lag), 0);
    if (lag > maxLag) throw new FoundError(`${lag} messages behind, more than ${maxLag}`, { lag });
    return { lag };
  };
}

export type OutboxShape = { stats: () => Promise<{ depth: number; oldestAgeMs: number }> };

/** Whether the outbox is emptied: down when its oldest row is older than `maxAgeMs` (default 60,000). */
export function outboxCheck(outbox: OutboxShape, { maxAgeMs = 60_000 } = {}): Check {
  return async () => {
    const { depth, oldestAgeMs } = await outbox.stats();
    const figures = { depth, oldestAgeMs };
    if (depth > 0 && oldestAgeMs > maxAgeMs) {
      throw new FoundError(`the oldest of ${depth} rows waits for ${Math.round(oldestAgeMs)} ms`, figures);
    }
    return figures;
  };
}
