import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin, type Kafka, type Message } from 'kafkajs';
import { DEAD_LETTER_MAX_BYTES, deadLetterTopic, rekeyed } from './dead-letter.ts';
import { everythingIn, readRanges } from './ranges.kafka.ts';

export type TopicsAccess = {
  kafka: Kafka;
  admin: Admin;
  send: (topic: string, messages: Message[]) => Promise<void>;
};

/** One letter per message, kept until it is replayed or dropped, however long that takes. */
const DEAD_LETTER_CONFIG: Record<string, string> = {
  'cleanup.policy': 'compact',
  'max.message.bytes': String(DEAD_LETTER_MAX_BYTES),
};

export async function ensureTopics(
  access: TopicsAccess,
  topics: string[],
  { partitions, replicas }: { partitions: number; replicas: number },
): Promise<void> {
  const { admin } = access;
  const existing = new Set(await admin.listTopics());
  const wanted = topics.flatMap((topic) => [
    { topic, numPartitions: partitions, replicationFactor: replicas },
    {
      topic: deadLetterTopic(topic),
      numPartitions: 1,
      replicationFactor: replicas,
      configEntries: Object.entries(DEAD_LETTER_CONFIG).map(([name, value]) => ({ name, value })),
    },
  ]);
  const missing = wanted.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) {
    // kafkajs' own waitForLeaders fails when the broker has not yet heard of what its controller has just made.
    await admin.createTopics({ topics: missing, waitForLeaders: false });
    await untilKnown(
      admin,
      missing.map(({ topic }) => topic),
    );
  }
  for (const topic of topics.map(deadLetterTopic)) if (existing.has(topic)) await modernise(access, topic);
}

async function untilKnown(admin: Admin, topics: string[]): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await admin.fetchTopicMetadata({ topics });
      return;
    } catch (error) {
      if (left === 0 || (error as { retriable?: boolean }).retriable !== true) throw error;
      await delay(100);
    }
  }
}

/**
 * A dead-letter topic of the first form was not compacted, and its letters had the keys of their messages: compacted like
 * that, of all letters of one key only the last would be left. So they are written anew first.
 */
async function modernise({ kafka, admin, send }: TopicsAccess, topic: string): Promise<void> {
  const own = await ownConfig(admin, topic);
  if (Object.entries(DEAD_LETTER_CONFIG).every(([name, value]) => own[name] === value)) return;
  if (own['cleanup.policy'] !== 'compact') {
    const letters: Message[] = [];
    const ranges = await everythingIn(admin, [topic]);
    await readRanges(kafka, admin, {
      ranges,
      groupId: topic,
      each: (message) => {
        const letter = rekeyed(message);
        if (letter) letters.push(letter);
      },
    });
    for (const letter of letters) await send(topic, [letter]);
  }
  // This request sets what it names and resets all else.
  const configEntries = Object.entries({ ...own, ...DEAD_LETTER_CONFIG }).map(([name, value]) => ({
    name,
    value,
  }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
}

/** What is set for this topic itself. */
async function ownConfig(admin: Admin, topic: string): Promise<Record<string, string>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources[0]!.configEntries.filter(
    ({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG,
  );
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
}
