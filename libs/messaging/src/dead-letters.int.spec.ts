import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import kafkajs, { type Message } from 'kafkajs';
import { ownDatabase } from './database.fixture.ts';
import {
  claimMessage,
  createEvent,
  INBOX_TABLE,
  InvalidEventError,
  parseEvent,
  reads,
  UnknownLetterError,
  type Handlers,
  type LetterOutcome,
  type Message as Received,
} from './index.ts';
import { Broker, type EventConsumer } from './kafkajs/index.ts';

/** Dead letters on a real broker, and their effects in a real PostgreSQL. */
const PAN = '4111111111111111';
const { db, open, close } = ownDatabase('letters', `${INBOX_TABLE} CREATE TABLE effect (topic text, n int)`);
const kafka = new kafkajs.Kafka({
  brokers: process.env['KAFKA_BROKERS']!.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
});
const [producer, topicAdmin] = [kafka.producer(), kafka.admin()];
const consumers: EventConsumer[] = [];
let broker: Broker;

beforeAll(async () => {
  await open();
  broker = new Broker({
    brokers: process.env['KAFKA_BROKERS']!.split(','),
    clientId: 'letters-test',
    redact: (text) => text.replaceAll(PAN, '[card]'),
  });
  await Promise.all([producer.connect(), topicAdmin.connect()]);
});

afterEach(() => Promise.all(consumers.splice(0).map((consumer) => consumer.stop())));

afterAll(async () => {
  await Promise.all([broker.close(), producer.disconnect(), topicAdmin.disconnect(), close()]);
});

const event = (data: unknown, subject = 'a') =>
  JSON.stringify(createEvent({ type: 'counted.v1', source: '/test', subject, data, time: new Date() }));
const counted = (n: number, subject?: string): Message => ({
  key: subject ?? 'a',
  value: event({ n }, subject),
});

/** A consumer whose handler writes its number down once, and fails for those in `broken` until they are taken out. */
async function counter({ partitions = 1 } = {}) {
  const topic = `test-${randomUUID()}`;
  await broker.ensureTopics([topic], { partitions });
  const groupId = `test-${randomUUID()}`;
  const broken = new Map<number, Error>();
  const fits = {
    safeParse: (data: unknown) => {
      const { n } = data as { n?: unknown };
      if (typeof n === 'number') return { success: true as const, data: { n } };
      return { success: false as const, error: { message: 'n is no number' } };
    },
  };
  let wake = () => {};
  const handle = reads(fits, async ({ n }, { id }) => {
    const error = broken.get(n);
    if (error) throw error;
    if (await claimMessage(db, groupId, id)) await db.query('INSERT INTO effect VALUES ($1, $2)', [topic, n]);
    wake();
  });
  const handlers: Handlers = { [topic]: { 'counted.v1': handle } };
  const effects = async () => {
    const { rows } = await db.query<{ n: number }>('SELECT n FROM effect WHERE topic = $1 ORDER BY n', [
      topic,
    ]);
    return rows.map(({ n }) => n);
  };
  const deliver = async ({ value }: Received) => {
    await handle(parseEvent(value), { signal: new AbortController().signal });
    return 'done' as const;
  };
  const start = () => {
    const consumer = broker.consumer({ groupId, handlers, maxAttempts: 2, maxBackoffMs: 1 });
    consumers.push(consumer);
    consumer.start();
  };
  const until = async (count: number) => {
    for (;;) {
      // Before the question: what comes while it is asked must not be missed.
      const woken = new Promise<void>((resolve) => (wake = resolve));
      if ((await effects()).length >= count) return;
      await woken;
    }
  };
  const send = (...messages: Message[]) => producer.send({ topic, messages });
  const letters = broker.deadLetters(groupId, [topic]);
  return { topic, groupId, broken, letters, deliver, effects, start, until, send };
}

const told = (outcomes: LetterOutcome[]) =>
  outcomes.map((one) => `${one.letter.offset} ${one.outcome === 'kept' ? one.reason : one.outcome}`);
const temporaryGroups = async (groupId: string) =>
  (await topicAdmin.listGroups()).groups.filter((group) => group.groupId.startsWith(`${groupId}.`));

describe('five kinds of poison', () => {
  it('are parked with their reasons, the next message is handled, and nothing is left of who lists them', async () => {
    const { topic, groupId, broken, letters, start, until, send } = await counter();
    broken.set(4, new TypeError('undefined is not a function'));
    broken.set(5, new Error('for no known reason'));
    await send(
      { key: 'a', value: 'no JSON' },
      { key: 'a', value: '{"specversion":"1.0","id":"e-1"}' },
      { key: 'a', value: event({ n: 'one' }) },
      counted(4),
      counted(5),
      { key: null, value: null },
      counted(6),
    );
    start();
    await until(1);
    const parked = await letters.list();
    expect(parked.map(({ id, key, reason }) => [id, key, reason])).toEqual(
      (
        [
          ['a', 'not JSON'],
          ['a', 'no CloudEvents attribute "type"'],
          ['a', 'counted.v1 does not fit: n is no number'],
          ['a', 'undefined is not a function'],
          ['a', 'for no known reason'],
          [null, 'no CloudEvents attribute "id"'],
        ] as const
      ).map(([key, reason], offset) => [`${groupId}/${topic}/0/${offset}`, key, reason]),
    );
    expect(parked[3]).toMatchObject({
      stack: expect.stringMatching(/^TypeError: undefined is not a function\n +at /),
      event: { type: 'counted.v1', subject: 'a' },
      redacted: false,
    });
    expect(Date.now() - parked[3]!.at!.getTime()).toBeLessThan(60_000);
    expect(parked[5]!.message.value).toBeNull();
    expect(await letters.list({ key: 'b' })).toEqual([]);
    expect(await letters.list({ topic: 'another' })).toEqual([]);
    expect(await broker.deadLetters('another-group', [topic]).list()).toEqual([]);
    expect(await temporaryGroups(groupId)).toEqual([]);
  }, 30_000);
});

describe('a letter', () => {
  it('is there once, though its message was parked twice by a consumer killed before its commit', async () => {
    const { topic, groupId, broken, letters, start, until, send } = await counter();
    broken.set(1, new InvalidEventError('bad'));
    await send(counted(1), counted(2));
    start();
    await until(1);
    await consumers.pop()!.stop();
    await topicAdmin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] });
    start();
    // The second parking is at the end of the topic once its 2 letters are.
    const parkings = async () =>
      Number((await topicAdmin.fetchTopicOffsets(`${topic}.dead-letter`))[0]!.high);
    while ((await parkings()) < 2) await consumers[0]!.lag();
    expect((await letters.list()).map(({ offset }) => offset)).toEqual(['0']);
  }, 30_000);

  it('is handled by a replay once its cause is mended, and is gone; replayed again, its effect is one', async () => {
    const { broken, letters, deliver, effects, start, until, send, groupId } = await counter();
    broken.set(1, new InvalidEventError('bad'));
    await send(counted(1), counted(2));
    start();
    await until(1);
    const [letter] = await letters.list();
    broken.clear();
    const twice: Received[] = [];
    const seen: string[] = [];
    const replayed = await letters.replay(
      [letter!.id],
      async (message) => {
        twice.push(message);
        return deliver(message);
      },
      ({ n, of, outcome }) => seen.push(`${n}/${of} ${outcome}`),
    );
    expect(told(replayed)).toEqual(['0 done']);
    expect(seen).toEqual(['1/1 done']);
    expect(await effects()).toEqual([1, 2]);
    expect(await letters.list()).toEqual([]);
    await expect(letters.replay([letter!.id], deliver)).rejects.toThrow(UnknownLetterError);
    // As when the process was killed between the effect and the mark.
    await deliver(twice[0]!);
    expect(await effects()).toEqual([1, 2]);
    expect(await temporaryGroups(groupId)).toEqual([]);
  }, 30_000);

  it('that fails again is kept with those behind it of its key, and the others go on', async () => {
    const { broken, letters, deliver, effects, start, until, send, groupId, topic } = await counter();
    for (const n of [1, 2, 3]) broken.set(n, new InvalidEventError('bad'));
    await send(counted(1), counted(2), counted(3, 'b'), counted(4));
    start();
    await until(1);
    broken.clear();
    broken.set(1, new TypeError('still'));
    expect(told(await letters.replay('all', deliver))).toEqual([
      '0 still',
      `1 waits for ${groupId}/${topic}/0/0, which is of the same key`,
      '2 done',
    ]);
    expect((await letters.list()).map(({ offset }) => offset)).toEqual(['0', '1']);
    expect(await effects()).toEqual([3, 4]);
  }, 30_000);

  it('is given up by a drop, after what waits for it was let go; when that fails, it is kept', async () => {
    const { broken, letters, effects, start, until, send, groupId, topic } = await counter();
    for (const n of [1, 2]) broken.set(n, new InvalidEventError('bad'));
    await send(counted(1), counted(2), counted(3));
    start();
    await until(1);
    const id = (offset: number) => `${groupId}/${topic}/0/${offset}`;
    const released: string[] = [];
    const release = async ({ id: letter }: { id: string }) => {
      if (letter === id(1)) throw new Error('database away');
      released.push(letter);
    };
    expect(told(await letters.drop('all', release))).toEqual(['0 done', '1 database away']);
    expect(released).toEqual([id(0)]);
    expect((await letters.show(id(1))).offset).toBe('1');
    await expect(letters.show(id(0))).rejects.toThrow(`there is no dead letter ${id(0)}: "list" shows`);
    await expect(letters.drop([id(1), 'x'])).rejects.toThrow('there is no dead letter x');
    expect(await letters.list()).toHaveLength(1);
    expect(await effects()).toEqual([3]);
  }, 30_000);

  it('without the secret of its message is replayed from the original, for as long as its topic keeps that', async () => {
    const { topic, broken, letters, deliver, start, until, send } = await counter({ partitions: 2 });
    for (const n of [1, 2]) broken.set(n, new InvalidEventError('bad'));
    const secret = (n: number): Message => ({ key: 'a', partition: 1, value: event({ n, card: PAN }) });
    // Each partition by itself: when one of a new topic has no leader yet, kafkajs sends again to both.
    await send({ ...counted(9), partition: 0 });
    // The last one is handled once those before it are parked.
    await send({ ...counted(8), partition: 1 }, secret(1), secret(2), { ...counted(7), partition: 1 });
    start();
    await until(3);
    expect((await letters.list()).map(({ redacted, message }) => [redacted, String(message.value)])).toEqual([
      [true, expect.stringContaining('[card]')],
      [true, expect.stringContaining('[card]')],
    ]);
    // kafkajs asks for the leader of a topic that it has heard of only.
    await topicAdmin.fetchTopicOffsets(topic);
    await topicAdmin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '2' }] });
    broken.clear();
    const values: string[] = [];
    const outcomes = await letters.replay('all', async (message) => {
      values.push(String(message.value));
      return deliver(message);
    });
    expect(told(outcomes)).toEqual([
      `1 a secret was taken out of this letter, and its original at ${topic}/1/1 is gone: the topic no longer keeps it`,
      expect.stringMatching(/^2 waits for /),
    ]);
    const [, second] = await letters.list();
    const later = await letters.replay([second!.id], async (message) => {
      values.push(String(message.value));
      return deliver(message);
    });
    expect(told(later)).toEqual(['2 done']);
    expect(values).toEqual([expect.stringContaining(PAN)]);
  }, 30_000);

  it('may be as long as its message, which may be as long as the broker takes', async () => {
    const { letters, start, until, send } = await counter();
    await send({ key: 'a', value: 'x'.repeat(1_048_000) }, counted(1));
    start();
    await until(1);
    expect((await letters.list()).map(({ message }) => message.value!.length)).toEqual([1_048_000]);
  }, 30_000);
});
