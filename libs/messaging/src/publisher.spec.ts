import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { createEvent } from './event.ts';
import { outboxRow } from './outbox.ts';
import { Publisher } from './publisher.kafka.ts';
import { NOT_TRACED } from './tracing.ts';

/** A producer that acknowledges when it is told to. The real one is in the specs that need a broker. */
function aPublisher() {
  const sends: { topics: string[]; acknowledge: () => void }[] = [];
  const sendBatch = ({ topicMessages }: { topicMessages: { topic: string }[] }) =>
    new Promise<void>((acknowledge) => {
      sends.push({ topics: topicMessages.map(({ topic }) => topic), acknowledge });
    });
  const producer = {
    connect: async () => {},
    disconnect: async () => {},
    sendBatch,
    send: ({ topic }: { topic: string }) => sendBatch({ topicMessages: [{ topic }] }),
  };
  const kafka = { producer: () => producer } as unknown as Kafka;
  return { sends, publisher: new Publisher({ kafka, tracing: NOT_TRACED }) };
}

const row = (topic: string) =>
  outboxRow(topic, createEvent({ type: 'a.v1', source: '/a', subject: 'a', data: {}, time: new Date() }));
/** Lets all that can go on do so. */
const idle = () => new Promise<void>((resolve) => setImmediate(resolve));

afterEach(() => void jest.restoreAllMocks());

describe('a publisher', () => {
  it('sends one batch after the other, however many are asked for at once', async () => {
    const { sends, publisher } = aPublisher();
    const all = [
      publisher.publish([row('a')]),
      publisher.send('b', [{ value: 'x' }]),
      publisher.publish([row('c')]),
    ];
    for (let n = 1; n <= all.length; n++) {
      await idle();
      expect(sends.map(({ topics }) => topics.join())).toEqual(['a', 'b', 'c'].slice(0, n));
      sends.at(-1)!.acknowledge();
    }
    await Promise.all(all);
    await publisher.close();
  });

  it('does not begin a send whose time was over while it waited for the one before', async () => {
    const { sends, publisher } = aPublisher();
    const now = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(now);
    const first = publisher.publish([row('a')]);
    const second = publisher.publish([row('b')]);
    await idle();
    clock.mockReturnValue(now + 1900);
    sends[0]!.acknowledge();
    await first;
    await expect(second).rejects.toMatchObject({
      transient: true,
      message: expect.stringContaining('within 1900 ms'),
    });
    expect(sends.map(({ topics }) => topics.join())).toEqual(['a']);
    await publisher.close();
  });
});
