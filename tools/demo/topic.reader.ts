import { randomUUID } from 'node:crypto';
import kafkajs, { type IHeaders } from 'kafkajs';

/** What is on the broker as it is, for those who look at it from outside: no envelope, no handlers. */
const kafkaOf = (brokers: string[]) =>
  new kafkajs.Kafka({ brokers, clientId: 'topic-reader', logLevel: kafkajs.logLevel.NOTHING });

export type RawMessage = { key?: string; value: string; headers?: IHeaders };

/** Writes messages as they are, however broken. */
export async function writeRaw(brokers: string[], topic: string, messages: RawMessage[]): Promise<void> {
  const producer = kafkaOf(brokers).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    await producer.send({ topic, messages });
  } finally {
    await producer.disconnect();
  }
}

/** Every message of the topics whose names match, as text: key, headers and value. */
export async function readRaw(brokers: string[], matching: RegExp): Promise<string[]> {
  const kafka = kafkaOf(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const texts: string[] = [];
  const consumer = kafka.consumer({ groupId: `topic-reader-${randomUUID()}`, allowAutoTopicCreation: false });
  try {
    const topics = (await admin.listTopics()).filter((topic) => matching.test(topic));
    const missing = new Map<string, number>();
    for (const topic of topics)
      for (const { partition, high, low } of await admin.fetchTopicOffsets(topic))
        if (Number(high) > Number(low)) missing.set(`${topic}/${partition}`, Number(high));
    if (missing.size === 0) return [];
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const each = async ({ topic, partition, message }: kafkajs.EachMessagePayload) => {
        const headers = Object.entries(message.headers ?? {}).map(
          ([name, value]) => `${name}: ${String(value)}`,
        );
        texts.push([topic, String(message.key), ...headers, String(message.value)].join('\n'));
        const at = `${topic}/${partition}`;
        if (Number(message.offset) + 1 >= (missing.get(at) ?? Infinity)) missing.delete(at);
        if (missing.size === 0) resolve();
      };
      consumer.run({ autoCommit: false, eachMessage: each }).catch(reject);
    });
    return texts;
  } finally {
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  }
}
