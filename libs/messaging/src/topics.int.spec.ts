import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import kafkajs, { type Message } from 'kafkajs';
import { Broker } from './kafkajs/index.ts';

/** Topics on a real broker. */
const brokers = process.env['KAFKA_BROKERS']!.split(',');
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
const [producer, topicAdmin] = [kafka.producer(), kafka.admin()];
const broker = new Broker({ brokers, clientId: 'topics-test' });

beforeAll(() => Promise.all([producer.connect(), topicAdmin.connect()]));
afterAll(() => Promise.all([broker.close(), producer.disconnect(), topicAdmin.disconnect()]));

describe('a dead-letter topic of the first form', () => {
  it('is compacted from now on, with all its letters, though two of one key were in it', async () => {
    const topic = `test-${randomUUID()}`;
    const own = { name: 'segment.ms', value: '3600000' };
    await topicAdmin.createTopics({
      topics: [
        { topic, numPartitions: 1 },
        { topic: `${topic}.dead-letter`, numPartitions: 1, configEntries: [own] },
      ],
    });
    const old = (offset: number, key: string | null): Message => ({
      key,
      value: `letter ${offset}`,
      headers: { 'dead-letter-consumer': 'g', 'dead-letter-from': `${topic}/0/${offset}` },
    });
    await producer.send({
      topic: `${topic}.dead-letter`,
      messages: [old(0, 'a'), old(1, 'a'), old(2, null)],
    });
    for (let times = 0; times < 2; times++) await broker.ensureTopics([topic]);
    const { resources } = await topicAdmin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: `${topic}.dead-letter` }],
    });
    const config = new Map(resources[0]!.configEntries.map((entry) => [entry.configName, entry.configValue]));
    expect([config.get('cleanup.policy'), config.get('segment.ms')]).toEqual(['compact', '3600000']);
    const keys: string[] = [];
    const reader = kafka.consumer({ groupId: `test-${randomUUID()}` });
    await reader.connect();
    await reader.subscribe({ topic: `${topic}.dead-letter`, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: kafkajs.EachMessagePayload) => {
        keys.push(String(message.key));
        if (keys.length === 6) resolve();
      };
      reader.run({ eachMessage }).catch(reject);
    });
    await reader.disconnect();
    expect(keys.slice(3)).toEqual([0, 1, 2].map((offset) => `g/${topic}/0/${offset}`));
    const letters = await broker.deadLetters('g', [topic]).list();
    expect(letters.map(({ offset, key }) => [offset, key])).toEqual([
      ['0', 'a'],
      ['1', 'a'],
      ['2', null],
    ]);
    expect(Number((await topicAdmin.fetchTopicOffsets(`${topic}.dead-letter`))[0]!.high)).toBe(6);
  }, 30_000);
});
