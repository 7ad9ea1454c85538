import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ownDatabase } from './database.fixture.ts';
import { createEvent } from './event.ts';
import { memorySequence } from './sequence.fixture.ts';
import { SEQUENCE_TABLES, sqlSequence } from './sequence.store.ts';
import type { SequenceStore } from './sequence.ts';

/** On a real PostgreSQL, which `npm test` starts. */
const { db, open, close, somebodyWaits } = ownDatabase('sequence', SEQUENCE_TABLES);

beforeAll(open);
afterAll(close);

const eventOf = (subject: string, sequence: number) =>
  createEvent({
    type: 'counted.v1',
    source: '/test',
    subject,
    sequence,
    data: { sequence },
    time: new Date(),
  });
const placeOf = (sequence: number) => ({ topic: 'counts', partition: 2, offset: String(100 + sequence) });

const stores: [string, () => SequenceStore][] = [
  ['in PostgreSQL', () => sqlSequence(db)],
  ['in memory', memorySequence],
];

describe.each(stores)('the order of a subject, kept %s', (_, storeOf) => {
  const fresh = () => {
    const store = storeOf();
    const subject: string = randomUUID();
    const consumer: string = randomUUID();
    return {
      store,
      consumer,
      admit: (sequence: number, of = subject) =>
        store.admit(consumer, eventOf(of, sequence), placeOf(sequence)),
      applied: (sequence: number) => store.applied(consumer, eventOf(subject, sequence)),
      skip: (sequence: number) => store.skip(consumer, eventOf(subject, sequence)),
      waiting: async () =>
        (await store.held(consumer)).map(({ waitsFor, count }) => `${count} for ${waitsFor}`),
    };
  };

  it('lets them in one after the other, and tells those that were applied before', async () => {
    const { admit, applied } = fresh();
    expect(await admit(1)).toBe('next');
    expect(await applied(1)).toBeUndefined();
    expect(await admit(1)).toBe('old');
    expect(await admit(2)).toBe('next');
  });

  it('holds what comes too early, and gives it out in order with its place', async () => {
    const { admit, applied, waiting } = fresh();
    expect(await admit(3)).toBe('held');
    expect(await admit(2)).toBe('held');
    expect(await waiting()).toEqual(['2 for 1']);
    expect(await admit(1)).toBe('next');
    expect(await applied(1)).toMatchObject({
      ...placeOf(2),
      event: { sequence: '2', data: { sequence: 2 } },
    });
    expect(await waiting()).toEqual(['1 for 2']);
    expect(await applied(2)).toMatchObject({ ...placeOf(3), event: { sequence: '3' } });
    expect(await applied(3)).toBeUndefined();
    expect(await waiting()).toEqual([]);
  });

  it('may be asked for each step again', async () => {
    const { admit, applied } = fresh();
    expect([await admit(2), await admit(2)]).toEqual(['held', 'held']);
    expect(await admit(1)).toBe('next');
    expect(await admit(1)).toBe('next');
    for (let n = 0; n < 2; n++) expect(await applied(1)).toMatchObject({ event: { sequence: '2' } });
    expect(await admit(2)).toBe('next');
    expect(await applied(2)).toBeUndefined();
    expect(await applied(1)).toBeUndefined();
    expect(await admit(3)).toBe('next');
  });

  it('lets other subjects and other consumers go on', async () => {
    const { admit, store } = fresh();
    expect(await admit(2)).toBe('held');
    expect(await admit(1, 'another')).toBe('next');
    expect(await store.admit('another consumer', eventOf(randomUUID(), 1), placeOf(1))).toBe('next');
  });

  it('gives up on the one whose turn it is, and on no later one', async () => {
    const { admit, skip } = fresh();
    await admit(2);
    await admit(4);
    await expect(skip(3)).rejects.toThrow(/1.* is missing/);
    expect(await skip(1)).toMatchObject({ event: { sequence: '2' } });
    expect(await skip(1)).toMatchObject({ event: { sequence: '2' } });
    expect(await admit(1)).toBe('old');
  });
});

it.each([1, 2])('whoever applies number %i meanwhile finds what is being held behind it', async (number) => {
  const [store, subject] = [sqlSequence(db), randomUUID()];
  if (number > 1) await store.applied('racer', eventOf(subject, number - 1));
  const holder = await db.connect();
  await holder.query('BEGIN');
  expect(await sqlSequence(holder).admit('racer', eventOf(subject, number + 1), placeOf(number + 1))).toBe(
    'held',
  );
  const applying = store.applied('racer', eventOf(subject, number));
  await Promise.race([applying, somebodyWaits()]);
  await holder.query('COMMIT');
  holder.release();
  expect(await applying).toMatchObject({ event: { sequence: String(number + 1) } });
});
