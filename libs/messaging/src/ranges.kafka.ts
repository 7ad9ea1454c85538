import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { ReceivedMessage } from './dead-letter.ts';

/** Messages of a partition, from `start` to the one before `end`. */
export type Range = { topic: string; partition: number; start: number; end: number };

/** What is there of the topics now. Topics that the broker does not know have nothing. */
export async function everythingIn(admin: Admin, topics: string[]): Promise<Range[]> {
  const known = new Set(await admin.listTopics());
  const ranges = await Promise.all(
    topics.filter((topic) => known.has(topic)).map((topic) => partitionsOf(admin, topic)),
  );
  return ranges.flat().filter(({ start, end }) => end > start);
}

export async function partitionsOf(admin: Admin, topic: string): Promise<Range[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({
    topic,
    partition,
    start: Number(low),
    end: Number(high),
  }));
}

/** How long the broker waits for messages where there are none. */
const WAIT_MS = 200;

/**
 * Reads the ranges once, commits nothing, and leaves no group behind: kafkajs reads in a group only, so this makes one
 * for itself and deletes it. Should the process be killed meanwhile, the broker forgets a group without offsets by itself.
 */
export async function readRanges(
  kafka: Kafka,
  admin: Admin,
  { ranges, groupId, each }: { ranges: Range[]; groupId: string; each: (message: ReceivedMessage) => void },
): Promise<void> {
  if (ranges.length === 0) return;
  const own = `${groupId}.dead-letters.${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId: own,
    maxWaitTimeInMs: WAIT_MS,
    allowAutoTopicCreation: false,
    retry: { retries: 5, restartOnFailure: async () => false },
  });
  const leave = async () => {
    await consumer.disconnect();
    await admin.deleteGroups([own]);
  };
  try {
    await readAll(consumer, await progressOf(admin, ranges), each);
  } catch (error) {
    // The group may not even have come to be; why it could not read is what matters.
    await leave().catch(() => undefined);
    throw error;
  }
  await leave();
}

async function readAll(consumer: Consumer, progress: Progress, each: (message: ReceivedMessage) => void) {
  const done = Promise.withResolvers<void>();
  // A member that joins again has forgotten where it was, and would go on from the end.
  consumer.on(consumer.events.GROUP_JOIN, () =>
    progress.left.forEach((range) => consumer.seek(seekTo(range))),
  );
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => done.reject(error));
  consumer.on(consumer.events.FETCH, ({ payload: { nodeId, duration } }) => {
    if (duration >= WAIT_MS * 0.9) progress.nothingFrom(Number(nodeId));
    if (progress.complete) done.resolve();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: progress.topics });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }: EachBatchPayload) => {
      const { topic, partition } = batch;
      for (const message of batch.messages)
        if (progress.wants(topic, partition, Number(message.offset))) each({ ...message, topic, partition });
      progress.readTo(topic, partition, Number(batch.lastOffset()));
      if (progress.complete) done.resolve();
    },
  });
  await done.promise;
}

const seekTo = ({ topic, partition, start }: Range) => ({ topic, partition, offset: String(start) });

/** How far each range is read. */
class Progress {
  readonly topics: string[];
  readonly #leaders: Map<string, number>;
  readonly #pending: Map<string, Range>;
  readonly #silent = new Map<number, number>();

  constructor(ranges: Range[], leaders: Map<string, number>) {
    this.topics = topicsOf(ranges);
    this.#leaders = leaders;
    this.#pending = new Map(ranges.map((range) => [placeOf(range.topic, range.partition), range]));
  }

  /** What is still to be read. */
  get left(): Range[] {
    return [...this.#pending.values()];
  }

  get complete(): boolean {
    return this.#pending.size === 0;
  }

  wants(topic: string, partition: number, offset: number): boolean {
    const range = this.#pending.get(placeOf(topic, partition));
    return range !== undefined && offset >= range.start && offset < range.end;
  }

  readTo(topic: string, partition: number, offset: number): void {
    this.#silent.clear();
    const place = placeOf(topic, partition);
    const range = this.#pending.get(place);
    if (range && offset >= range.end - 1) this.#pending.delete(place);
    else if (range) this.#pending.set(place, { ...range, start: Math.max(range.start, offset + 1) });
  }

  /**
   * The last message of a range may have been compacted away, and then nothing says that its end is reached but a broker
   * that has waited for more and got none. Three times, since a fetch that failed looks the same.
   */
  nothingFrom(node: number): void {
    const times = (this.#silent.get(node) ?? 0) + 1;
    this.#silent.set(node, times);
    if (times < 3) return;
    for (const place of [...this.#pending.keys()])
      if (this.#leaders.get(place) === node) this.#pending.delete(place);
  }
}

async function progressOf(admin: Admin, ranges: Range[]): Promise<Progress> {
  const { topics } = await admin.fetchTopicMetadata({
    topics: topicsOf(ranges),
  });
  const leaders = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionId, leader }): [string, number] => [placeOf(name, partitionId), leader]),
  );
  return new Progress(ranges, new Map(leaders));
}

const topicsOf = (ranges: Range[]) => [...new Set(ranges.map(({ topic }) => topic))];
const placeOf = (topic: string, partition: number) => `${topic}/${partition}`;
