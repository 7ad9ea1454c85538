import { describe, expect, it } from '@jest/globals';
import type { Admin, EachBatchPayload, Kafka } from 'kafkajs';
import { readRanges } from './ranges.kafka.ts';

type Listener = (event: { payload: object }) => void;

/** The part of kafkajs that reading sees, of one partition with messages up to 9; the real one is in the specs that need a broker. */
function aTopic() {
  const steps: string[] = [];
  const listeners: Record<string, Listener> = {};
  let eachBatch: (payload: EachBatchPayload) => Promise<void>;
  const consumer = {
    events: { GROUP_JOIN: 'join', CRASH: 'crash', FETCH: 'fetch' },
    on: (event: string, listener: Listener) => void (listeners[event] = listener),
    connect: async () => {},
    subscribe: async () => {},
    run: async (options: { eachBatch: typeof eachBatch }) => {
      eachBatch = options.eachBatch;
      listeners['join']!({ payload: {} });
    },
    seek: ({ offset }: { offset: string }) => void steps.push(`seek ${offset}`),
    disconnect: async () => void steps.push('left'),
  };
  const admin = {
    fetchTopicMetadata: async () => ({
      topics: [{ name: 'letters', partitions: [{ partitionId: 0, leader: 1 }] }],
    }),
    deleteGroups: async () => void steps.push('deleted'),
  };
  const read: string[] = [];
  const reading = () =>
    readRanges({ consumer: () => consumer } as unknown as Kafka, admin as unknown as Admin, {
      ranges: [{ topic: 'letters', partition: 0, start: 2, end: 9 }],
      groupId: 'mailer',
      each: ({ offset }) => void read.push(offset),
    });
  return {
    steps,
    read,
    reading,
    consumer,
    admin,
    tell: (event: string) => listeners[event]!({ payload: { error: new Error('no coordinator') } }),
    batch: async (...offsets: number[]) => {
      const messages = offsets.map((offset) => ({ offset: String(offset), key: null, value: null }));
      const batch = { topic: 'letters', partition: 0, messages, lastOffset: () => String(offsets.at(-1)) };
      await eachBatch({ batch } as unknown as EachBatchPayload);
    },
  };
}

/** Lets all that can go on do so. */
const idle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('reading a range', () => {
  it('goes on where it was when it has to join its group again, and leaves nothing behind', async () => {
    const { steps, read, reading, tell, batch } = aTopic();
    const whole = reading();
    await idle();
    await batch(2, 3, 4);
    tell('join');
    await batch(5, 6, 7, 8, 9);
    await whole;
    expect(read).toEqual(['2', '3', '4', '5', '6', '7', '8']);
    expect(steps).toEqual(['seek 2', 'seek 5', 'left', 'deleted']);
  });

  it('says why it could not, not that there is no group to delete', async () => {
    const { admin, reading, tell } = aTopic();
    admin.deleteGroups = () => Promise.reject(new Error('the group is not known'));
    const failed = expect(reading()).rejects.toThrow('no coordinator');
    await idle();
    tell('crash');
    await failed;
  });
});
