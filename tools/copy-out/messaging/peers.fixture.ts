import {
  appendToOutbox,
  createEvent,
  Delivery,
  letterOf,
  OutboxRelay,
  outboxRow,
  readLetter,
  sequenceOf,
  type HeldEvent,
  type Letter,
  type Message,
  type OutboxRow,
  type OutboxStore,
  type SequenceStore,
  type StoredRow,
} from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** What the library promises where no engine runs, asked of the package that people install. */
const paid = (sequence: number) =>
  createEvent({
    ...{ type: 'order.paid.v1', source: '/orders', subject: 'o-1', time: new Date(0) },
    ...{ id: `e-${sequence}`, sequence, data: { sequence } },
  });

const messageOf = (value: string, offset: number): Message => ({
  ...{ topic: 'orders', partition: 0, offset: String(offset), key: Buffer.from('o-1') },
  value: Buffer.from(value),
});

/** An outbox in memory: what is added by SQL is what the relay finds. */
function outbox() {
  const rows: StoredRow[] = [];
  const parked: string[] = [];
  const remove = (ids: string[]) => {
    const before = rows.length;
    rows.splice(0, before, ...rows.filter(({ id }) => !ids.includes(id)));
    return before - rows.length;
  };
  const db = {
    query: async (sql: string, [added]: unknown[] = []) => {
      assert.match(sql, /^INSERT INTO outbox \(topic, key, event\)/);
      for (const row of JSON.parse(String(added)) as OutboxRow[])
        rows.push({ id: String(rows.length + 1), ...row });
    },
  };
  const store: OutboxStore = {
    lease: async () => ({ epoch: '1' }),
    read: async (limit) => rows.slice(0, limit),
    remove: async (ids) => remove(ids),
    park: async (id) => {
      parked.push(id);
      return remove([id]) === 1;
    },
    release: async () => {},
    stats: async () => ({ depth: rows.length, oldestAgeMs: 0, parked: parked.length }),
  };
  return { db, store, parked };
}

/** The order of one subject in memory. */
function sequence(): SequenceStore {
  const held = new Map<number, HeldEvent>();
  let last = 0;
  const applied: SequenceStore['applied'] = async (_, event) => {
    last = Math.max(last, sequenceOf(event)!);
    return held.get(last + 1);
  };
  return {
    admit: async (_, event, place) => {
      const number = sequenceOf(event)!;
      if (number <= last) return 'old';
      if (number === last + 1) return 'next';
      held.set(number, { ...place, event });
      return 'held';
    },
    ...{ applied, skip: applied },
    held: async () => [],
  };
}

void test('what { query() } took in goes out in order, without what the broker refuses', async () => {
  const { db, store, parked } = outbox();
  await appendToOutbox(
    db,
    [1, 2, 3].map((n) => outboxRow('orders', paid(n))),
  );
  const sent: string[] = [];
  const publish = async (rows: OutboxRow[]) => {
    if (rows.some(({ event }) => event.id === 'e-2'))
      throw Object.assign(new Error('too large'), { refused: true });
    sent.push(...rows.map(({ event }) => event.id));
  };
  const relay = new OutboxRelay({ store, publish });
  assert.equal(await relay.relayOnce(), 2);
  assert.deepEqual([sent, parked], [['e-1', 'e-3'], ['2']]);
  assert.deepEqual(await relay.stats(), { depth: 0, oldestAgeMs: 0, parked: 1 });
});

void test('an event that comes too early waits for the one before it', async () => {
  const seen: string[] = [];
  const delivery = new Delivery({
    groupId: 'mailer',
    handlers: { orders: { 'order.paid.v1': async ({ id }) => void seen.push(id) } },
    park: async () => assert.fail('nothing is wrong with it'),
    sequence: { store: sequence(), topics: ['orders'] },
    onHeld: ({ offset }) => seen.push(`held ${offset}`),
    onInverted: ({ offset }) => seen.push(`inverted ${offset}`),
  });
  for (const [offset, number] of [2, 1].entries())
    assert.equal(await delivery.handle(messageOf(JSON.stringify(paid(number)), offset)), 0);
  assert.deepEqual(seen, ['held 0', 'e-1', 'inverted 1', 'e-2']);
});

void test('what is no event is parked, and its letter says why without the secrets', async () => {
  const letters: (Letter | undefined)[] = [];
  const delivery = new Delivery({
    groupId: 'mailer',
    handlers: {},
    park: async (letter) => {
      const { headers, ...parked } = letterOf('mailer', letter, (text) => text.replace('hunter2', '…'));
      const bytes = { key: Buffer.from(parked.key), value: Buffer.from(parked.value) };
      letters.push(readLetter({ ...bytes, headers, offset: '0' }));
    },
  });
  assert.equal(await delivery.handle(messageOf('hunter2', 12)), 0);
  const { id, reason, redacted, message } = letters[0]!;
  assert.deepEqual([id, reason, redacted], ['mailer/orders/0/12', 'not JSON', true]);
  assert.equal(String(message.value), '…');
});

void test('./kafkajs makes a broker that connects when it is asked to, and says when nobody is there', async () => {
  const broker = new Broker({ brokers: ['127.0.0.1:1'], clientId: 'shop' });
  const consumer = broker.consumer({ groupId: 'mailer', handlers: {} });
  assert.equal(consumer.status, 'starting');
  await assert.rejects(broker.publish([outboxRow('orders', paid(1))]), /ECONNREFUSED|Connection error/);
  await Promise.all([consumer.stop(), broker.close()]);
  assert.equal(consumer.status, 'stopped');
});
