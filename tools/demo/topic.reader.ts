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

/** A message as the broker has it; `key` and `value` are undefined where the message has none. */
export type ReadMessage = {
  topic: string;
  partition: number;
  offset: number;
  key?: string;
  value?: string;
  headers: Record<string, string>;
};

/** Every message of the topics whose names match, as text: key, headers and value. */
export async function readRaw(brokers: string[], matching: RegExp): Promise<string[]> {
  return (await readMessages(brokers, matching)).map(({ topic, key, headers, value }) => {
    const lines = Object.entries(headers).map(([name, text]) => `${name}: ${text}`);
    return [topic, String(key ?? null), ...lines, String(value ?? null)].join('\n');
  });
}

/** Every message that the topics whose names match have now. */
export async function readMessages(brokers: string[], matching: RegExp): Promise<ReadMessage[]> {
  const kafka = kafkaOf(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const read: ReadMessage[] = [];
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
        read.push(messageOf(topic, partition, message));
        const at = `${topic}/${partition}`;
        if (Number(message.offset) + 1 >= (missing.get(at) ?? Infinity)) missing.delete(at);
        if (missing.size === 0) resolve();
      };
      consumer.run({ autoCommit: false, eachMessage: each }).catch(reject);
    });
    return read;
  } finally {
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  }
}

function messageOf(topic: string, partition: number, message: kafkajs.KafkaMessage): ReadMessage {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    ...{ topic, partition, offset: Number(message.offset) },
    ...(message.key && { key: message.key.toString() }),
    ...(message.value && { value: message.value.toString() }),
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}
