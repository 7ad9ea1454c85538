import { createEvent } from '@cairn/messaging';
import kafkajs from 'kafkajs';
import { memberOf, type MemberOptions } from './rebalance-member.ts';
import type { Planned } from './rebalance-plan.ts';
import type { PoisonFound } from './rebalance-verdict.ts';

/** `mendable`: a later version of the consumer could handle it, so it is replayed and not dropped. */
type Poison = { mendable: boolean; value: (subject: string) => string };

const numbered = (subject: string, sequence: number, data: unknown) =>
  JSON.stringify(
    createEvent({ type: 'counted.v1', source: '/chaos', subject, sequence, data, time: new Date() }),
  );

export const POISON: Record<string, Poison> = {
  'not JSON': { mendable: false, value: () => '{"specversion":"1.0","id":' },
  'no type': {
    mendable: false,
    value: (subject) =>
      JSON.stringify({ specversion: '1.0', id: subject, source: '/chaos', subject, data: {} }),
  },
  'data that does not fit': { mendable: true, value: (subject) => numbered(subject, 1, { n: 'one' }) },
  'a TypeError': { mendable: true, value: (subject) => numbered(subject, 1, { n: 1, kind: 'bug' }) },
  'no known reason': { mendable: true, value: (subject) => numbered(subject, 1, { n: 1, kind: 'unlucky' }) },
};

type Setting = {
  options: MemberOptions;
  /** Resolves when the effect is there. */
  until: (effect: Planned) => Promise<void>;
};

/**
 * Sends one message of each kind to a partition of its own, and behind it one of the same subject and one of another. Then
 * an operator replays what the mended consumer can handle, twice, and drops the rest.
 */
export async function poisoned({ options, until }: Setting) {
  const kafka = new kafkajs.Kafka({
    brokers: options.brokers,
    clientId: 'rebalance-poison',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const effects: Planned[] = [];
  const times: Record<string, number> = {};
  for (const [partition, [kind, { mendable, value }]] of Object.entries(POISON).entries()) {
    const [subject, other] = [`poison ${kind}`, `behind ${kind}`];
    const follower = mendable ? [{ key: subject, value: numbered(subject, 2, { n: 2 }) }] : [];
    const messages = [
      { key: subject, value: value(subject) },
      ...follower,
      { key: other, value: numbered(other, 1, { n: 1 }) },
    ].map((message) => ({ ...message, partition }));
    const sentAt = performance.now();
    await producer.send({ topic: options.topic, acks: -1, messages });
    await until({ subject: other, n: 1 });
    times[kind] = performance.now() - sentAt;
    effects.push({ subject: other, n: 1 });
    if (mendable) effects.push({ subject, n: 1 }, { subject, n: 2 });
  }
  await producer.disconnect();
  return { effects, ...(await replayed(options, times)) };
}

async function replayed(options: MemberOptions, times: Record<string, number>) {
  const { broker, consumer, close } = memberOf({ ...options, mended: true }, () => {});
  try {
    const letters = broker.deadLetters(options.groupId, [options.topic]);
    const parked = await letters.list();
    const kindOf = (key: string | null | undefined) => key?.replace('poison ', '') ?? '';
    const found: PoisonFound[] = Object.keys(POISON).map((kind) => ({
      kind,
      parked: parked.filter(({ key }) => kindOf(key) === kind).length,
      nextAfterMs: times[kind]!,
    }));
    const mendable = parked.filter(({ key }) => POISON[kindOf(key)]?.mendable);
    await letters.replay(
      mendable.map(({ id }) => id),
      async (message) => {
        await consumer.delivery.handleOnce(message);
        return consumer.delivery.handleOnce(message);
      },
    );
    await letters.drop('all');
    return { poison: found, lettersLeft: (await letters.list()).length, accidents: strange(parked, kindOf) };
  } finally {
    await close();
  }
}

/** Letters of messages that are not poison. */
function strange(
  parked: { id: string; key: string | null; reason: string }[],
  kindOf: (key: string | null) => string,
) {
  return parked
    .filter(({ key }) => !POISON[kindOf(key)])
    .map(({ id, reason }) => `${id} was parked: ${reason}`);
}
