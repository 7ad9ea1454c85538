import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { EventConsumer, type ConsumerOptions } from './consumer.kafka.ts';
import { createEvent } from './event.ts';

type Listener = (event: { payload: { error: Error } }) => void;

/** The part of kafkajs that a consumer sees, for what a real broker does once in a thousand times. */
class FakeConsumer {
  readonly events = { GROUP_JOIN: 'join', CRASH: 'crash' };
  readonly listeners: Record<string, Listener> = {};
  eachBatch: ((payload: EachBatchPayload) => Promise<void>) | undefined;
  disconnected = 0;
  connect = async () => {};
  subscribe = async () => {};
  on = (event: string, listener: Listener) => void (this.listeners[event] = listener);
  run = async ({ eachBatch }: { eachBatch: (payload: EachBatchPayload) => Promise<void> }) => {
    this.eachBatch = eachBatch;
    this.listeners['join']!({ payload: { error: new Error('none') } });
  };
  disconnect = async () => void this.disconnected++;
}

/** A started consumer of topic `counts` on fakes; `members` are its lives in the group, the newest last. */
export async function consumerOf(options: Partial<ConsumerOptions> = {}) {
  const members: FakeConsumer[] = [];
  const kafka = {
    consumer: () => {
      members.push(new FakeConsumer());
      return members.at(-1) as unknown as Consumer;
    },
  } as unknown as Kafka;
  const told: string[] = [];
  const consumer = new EventConsumer({
    kafka,
    groupId: 'counter',
    handlers: { counts: {} },
    park: async () => {},
    lag: async () => [],
    onError: (_, { outcome }) => told.push(outcome),
    onCrash: ({ message }) => told.push(`crashed: ${message}`),
    ...options,
  });
  consumer.start();
  while (consumer.status !== 'joined') await Promise.resolve();
  return { consumer, members, told };
}

/** A batch of that many messages, and what is done with it. `stale` is asked before each message. */
export function batchOf(count: number, stale: () => boolean = () => false) {
  const steps: string[] = [];
  const messages = Array.from({ length: count }, (_, offset) => ({
    offset: String(offset),
    key: null,
    value: Buffer.from(
      JSON.stringify(
        createEvent({
          type: 'counted.v1',
          source: '/test',
          subject: 'a',
          data: {},
          id: String(offset),
          time: new Date(0),
        }),
      ),
    ),
  }));
  const payload = {
    batch: { topic: 'counts', partition: 0, messages },
    isRunning: () => true,
    isStale: stale,
    heartbeat: async () => {},
    resolveOffset: (offset: string) => steps.push(`resolve ${offset}`),
    pause: () => {
      steps.push('pause');
      return () => steps.push('resume');
    },
  };
  return { payload: payload as unknown as EachBatchPayload, steps };
}
