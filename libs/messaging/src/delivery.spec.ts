import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { counted, counter, GROUP, messageOf, newWorld } from './delivery.fixture.ts';
import type { Delivery, Message } from './delivery.ts';
import { InvalidEventError, parseEvent, type Event } from './event.ts';
import { memorySequence } from './sequence.fixture.ts';
import type { SequenceStore } from './sequence.ts';

const transient = () => Object.assign(new Error('database away'), { transient: true });
const poison = () => new InvalidEventError('does not fit');

/** Throws for these ids, as often as they are listed. */
const failing = (error: () => Error, ...ids: string[]) => {
  return (id: string) => {
    const at = ids.indexOf(id);
    if (at < 0) return;
    ids.splice(at, 1);
    throw error();
  };
};

const event = (sequence: number) => parseEvent(counted(sequence).value);

async function handle(delivery: Delivery, ...messages: Message[]): Promise<number[]> {
  const pauses: number[] = [];
  for (const message of messages) pauses.push(await delivery.handle(message));
  return pauses;
}

describe('a message', () => {
  it('is done with when its handler is, and when it has none', async () => {
    const { delivery, effects } = counter();
    expect(await handle(delivery, counted(1), counted(2, 'a', 'unheard-of.v1'))).toEqual([0, 0]);
    expect(effects).toEqual(['a-1']);
  });

  it('is tried again without end while something around it is away', async () => {
    const { delivery, effects, letters } = counter(
      { maxAttempts: 1 },
      failing(transient, 'a-1', 'a-1', 'a-1'),
    );
    expect(await handle(delivery, counted(1), counted(1), counted(1), counted(1))).toEqual([
      200, 400, 800, 0,
    ]);
    expect([effects, letters]).toEqual([['a-1'], []]);
  });

  it('is parked at once when it is wrong, and after some tries when that may be', async () => {
    const wrong = counter({}, failing(poison, 'a-1'));
    expect(await handle(wrong.delivery, counted(1))).toEqual([0]);
    const bug = counter({ maxAttempts: 2 }, () => {
      throw new TypeError('undefined is not a function');
    });
    expect(await handle(bug.delivery, counted(1), counted(1))).toEqual([200, 0]);
    expect([wrong.letters, bug.letters]).toEqual([['1'], ['1']]);
  });

  it('stays where it is when the broker does not take its letter', async () => {
    const outcomes: string[] = [];
    const { delivery } = counter(
      { park: () => Promise.reject(transient()), onError: (_, { outcome }) => outcomes.push(outcome) },
      failing(poison, 'a-1'),
    );
    expect(await handle(delivery, counted(1))).toEqual([200]);
    expect(outcomes).toEqual(['dead letter', 'not parked, try again']);
  });

  it('is not parked for what a stop has broken off', async () => {
    const { delivery, letters } = counter({}, failing(poison, 'a-1'));
    expect(await delivery.handle(counted(1), AbortSignal.abort())).toBe(200);
    expect(letters).toEqual([]);
  });

  it.each([
    ['that is not JSON', 'not JSON at all'],
    ['without a type', '{"id":"1","source":"/test","subject":"a"}'],
    ['with a number that is none', '{"id":"1","type":"x","source":"/test","subject":"a","sequence":"01"}'],
  ])('%s is parked, and its partition goes on', async (_, value) => {
    const { delivery, letters, effects } = counter();
    expect(await handle(delivery, messageOf(value, 7), counted(1))).toEqual([0, 0]);
    expect([letters, effects]).toEqual([['7'], ['a-1']]);
  });

  describe('that takes long', () => {
    afterEach(() => void jest.useRealTimers());

    it('sends heartbeats until it is done with, and none afterwards', async () => {
      jest.useFakeTimers();
      const { promise, resolve } = Promise.withResolvers<void>();
      const { delivery } = counter({ around: () => promise });
      let beats = 0;
      const handled = delivery.handle(counted(1), undefined, async () => {
        beats++;
      });
      await jest.advanceTimersByTimeAsync(7000);
      expect(beats).toBe(3);
      resolve();
      await handled;
      await jest.advanceTimersByTimeAsync(7000);
      expect(beats).toBe(3);
    });
  });
});

describe('an event that comes too early', () => {
  it('is held until those before it have come, while other subjects go on', async () => {
    const { delivery, effects, seen, store } = counter();
    await handle(delivery, counted(3), counted(2), counted(1, 'b'));
    expect(effects).toEqual(['b-1']);
    expect(await store.held(GROUP)).toMatchObject([{ subject: 'a', waitsFor: 1, count: 2, topic: 'counts' }]);
    await handle(delivery, counted(1));
    expect(effects).toEqual(['b-1', 'a-1', 'a-2', 'a-3']);
    expect(seen).toEqual(['held 3', 'held 2', 'inverted 1']);
    expect(await store.held(GROUP)).toEqual([]);
  });

  it('waits for events that nobody handles, too', async () => {
    const { delivery, effects } = counter();
    await handle(delivery, counted(2), counted(1, 'a', 'unheard-of.v1'));
    expect(effects).toEqual(['a-2']);
  });

  it('is applied all the same where no order is asked for, or none is told', async () => {
    const unordered = counter({ sequence: { store: memorySequence(), topics: ['others'] } });
    await handle(unordered.delivery, counted(2), counted(1));
    expect(unordered.effects).toEqual(['a-2', 'a-1']);
    const { delivery, effects } = counter();
    await handle(delivery, messageOf(JSON.stringify({ ...event(2), sequence: undefined }), 2));
    expect(effects).toEqual(['a-2']);
  });

  it('is tried in its turn as often as any other, though the one before it succeeds each time', async () => {
    const { delivery, effects, letters } = counter(
      { maxAttempts: 3 },
      failing(() => new TypeError('bug'), 'a-2', 'a-2', 'a-2', 'a-2'),
    );
    expect(await handle(delivery, counted(2), counted(3))).toEqual([0, 0]);
    // As the consumer does: the message in hand comes again after each pause.
    expect(await handle(delivery, counted(1), counted(1), counted(1))).toEqual([200, 400, 0]);
    expect([effects, letters]).toEqual([['a-1'], ['2']]);
  });

  it('is told from a double', async () => {
    const { delivery, effects, seen } = counter();
    await handle(delivery, counted(1), counted(2), counted(1), counted(2), counted(3));
    expect(effects).toEqual(['a-1', 'a-2', 'a-3']);
    expect(seen).toEqual(['old 1', 'old 2']);
  });
});

describe('a dead letter', () => {
  it('holds what follows it until it is replayed', async () => {
    const { delivery, effects, letters, store } = counter({}, failing(poison, 'a-2', 'a-2'));
    await handle(delivery, counted(1), counted(2), counted(3), counted(4));
    expect([effects, letters]).toEqual([['a-1'], ['2']]);
    expect(await store.held(GROUP)).toMatchObject([{ waitsFor: 2, count: 2 }]);
    await expect(delivery.handleOnce(counted(2))).rejects.toThrow('does not fit');
    expect(effects).toEqual(['a-1']);
    expect(await delivery.handleOnce(counted(2))).toBe('done');
    expect(effects).toEqual(['a-1', 'a-2', 'a-3', 'a-4']);
    // Replayed twice, its effect is there once.
    expect(await delivery.handleOnce(counted(2))).toBe('done');
    expect(effects).toHaveLength(4);
  });

  it('holds what follows it until it is dropped', async () => {
    const { delivery, effects } = counter({}, failing(poison, 'a-2'));
    await handle(delivery, counted(1), counted(2), counted(3));
    await expect(delivery.skip(event(3), 'counts')).rejects.toThrow('missing');
    await delivery.skip(event(2), 'counts');
    await delivery.skip(event(2), 'counts');
    expect(effects).toEqual(['a-1', 'a-3']);
  });

  it('is kept back when one before it is a letter as well', async () => {
    const { delivery, effects } = counter({}, failing(poison, 'a-1'));
    await handle(delivery, counted(1));
    expect(await delivery.handleOnce(counted(2))).toBe('held');
    expect(await delivery.handleOnce(counted(1))).toBe('done');
    expect(effects).toEqual(['a-1', 'a-2']);
  });

  it('becomes of a held event, in its turn, and is not forgotten when what waits cannot be handled now', async () => {
    const fail = [failing(poison, 'a-1', 'a-3'), failing(transient, 'a-2')];
    const { delivery, effects, letters } = counter({}, (id) => fail.forEach((each) => each(id)));
    await handle(delivery, counted(1), counted(2), counted(3), counted(4));
    await expect(delivery.handleOnce(counted(1))).rejects.toThrow('database away');
    expect(effects).toEqual(['a-1']);
    expect(await delivery.handleOnce(counted(1))).toBe('done');
    expect([effects, letters]).toEqual([
      ['a-1', 'a-2'],
      ['1', '3'],
    ]);
    await delivery.skip(event(3), 'counts');
    expect(effects).toEqual(['a-1', 'a-2', 'a-4']);
  });
});

/** Hands the messages in, dies at step `crash` and begins again after the last commit. Returns the steps it took. */
async function runWithCrash(numbers: number[], crash: number) {
  let steps = 0;
  const step = () => {
    // Nothing is parked for it, and nothing else happens: the process is gone.
    if (++steps === crash) throw transient();
  };
  const world = newWorld();
  const sequence = { store: stepwise(world.store, step), topics: ['counts'] };
  const around = async (_: Event, handler: () => Promise<void>) => {
    step();
    await handler();
    step();
  };
  const started = () => counter({ sequence, around }, undefined, world).delivery;
  for (let delivery = started(), committed = 0; committed < numbers.length;) {
    if ((await delivery.handle(counted(numbers[committed]!))) === 0) committed++;
    else delivery = started();
  }
  return { steps, effects: world.effects, held: await world.store.held(GROUP) };
}

function stepwise(store: SequenceStore, step: () => void): SequenceStore {
  const between = async <T>(work: () => Promise<T>): Promise<T> => {
    step();
    const result = await work();
    step();
    return result;
  };
  return {
    ...store,
    admit: (...args) => between(() => store.admit(...args)),
    applied: (...args) => between(() => store.applied(...args)),
  };
}

it('a crash between any two steps loses nothing and turns nothing around', async () => {
  const order = [2, 3, 1, 5, 4, 6];
  const { steps } = await runWithCrash(order, Infinity);
  expect(steps).toBeGreaterThan(30);
  const effects = ['a-1', 'a-2', 'a-3', 'a-4', 'a-5', 'a-6'];
  for (let crash = 1; crash <= steps; crash++) {
    expect({ crash, ...(await runWithCrash(order, crash)) }).toMatchObject({ crash, effects, held: [] });
  }
});
