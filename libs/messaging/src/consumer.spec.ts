import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { batchOf, consumerOf } from './consumer.fixture.ts';
import type { Handler } from './handler.ts';

/** On a fake of kafkajs: what a real broker shows is in messaging.int.spec.ts. */
const handlersOf = (handler: Handler) => ({ counts: { 'counted.v1': handler } });

afterEach(() => void jest.useRealTimers());

describe('a batch', () => {
  it('resolves an offset when the effect is there, and not before', async () => {
    const { payload, steps } = batchOf(2);
    const { members } = await consumerOf({
      handlers: handlersOf(async ({ id }) => {
        await Promise.resolve();
        steps.push(`effect ${id}`);
      }),
    });
    await members[0]!.eachBatch!(payload);
    expect(steps).toEqual(['effect 0', 'resolve 0', 'effect 1', 'resolve 1']);
  });

  it('is left where a message has to wait, and its partition is resumed after the pause', async () => {
    jest.useFakeTimers();
    const { payload, steps } = batchOf(2);
    const away = Object.assign(new Error('circuit open'), { transient: true, retryAfterMs: 700 });
    const { members } = await consumerOf({ handlers: handlersOf(() => Promise.reject(away)) });
    await members[0]!.eachBatch!(payload);
    expect(steps).toEqual(['pause']);
    await jest.advanceTimersByTimeAsync(699);
    expect(steps).toEqual(['pause']);
    await jest.advanceTimersByTimeAsync(1);
    expect(steps).toEqual(['pause', 'resume']);
  });

  it('is left once kafkajs calls it stale: its partition is to be read from another offset', async () => {
    let stale = false;
    const { payload, steps } = batchOf(3, () => stale);
    const { members } = await consumerOf({
      handlers: handlersOf(async ({ id }) => {
        steps.push(`effect ${id}`);
        if (id === '1') stale = true;
      }),
    });
    await members[0]!.eachBatch!(payload);
    expect(steps).toEqual(['effect 0', 'resolve 0', 'effect 1', 'resolve 1']);
  });

  it('ends with the message in hand when the process stops', async () => {
    const { payload, steps } = batchOf(2);
    const { consumer, members } = await consumerOf({
      handlers: handlersOf(async ({ id }) => {
        steps.push(`effect ${id}`);
        void consumer.stop();
      }),
    });
    await members[0]!.eachBatch!(payload);
    expect(steps).toEqual(['effect 0', 'resolve 0']);
  });
});

describe('a consumer that kafkajs gives up', () => {
  const crash = (error: Error) => ({ payload: { error } });

  it('joins again as a new member, when that may help', async () => {
    const { consumer, members, told } = await consumerOf();
    const cause = Object.assign(new Error('no coordinator'), { retriable: true });
    members[0]!.listeners['crash']!(crash(new Error('gave up', { cause })));
    expect(consumer.status).toBe('starting');
    while (members[1]?.eachBatch === undefined) await Promise.resolve();
    expect([consumer.status, told]).toEqual(['joined', ['join again']]);
  });

  it('has crashed for good otherwise, and says so', async () => {
    const { consumer, members, told } = await consumerOf();
    members[0]!.listeners['crash']!(crash(new TypeError('a bug in kafkajs')));
    expect([consumer.status, told, members]).toMatchObject(['crashed', ['crashed: a bug in kafkajs'], [{}]]);
    expect(members).toHaveLength(1);
  });

  it('does not join again while it stops', async () => {
    const { consumer, members, told } = await consumerOf();
    const stopped = consumer.stop();
    members[0]!.listeners['crash']!(crash(Object.assign(new Error('gone'), { retriable: true })));
    await stopped;
    expect([consumer.status, members.length, members[0]!.disconnected, told]).toEqual(['stopped', 1, 1, []]);
  });
});

it('a stop gives up on a disconnect that hangs in a rebalance (tulios/kafkajs#1462)', async () => {
  const { consumer, members } = await consumerOf();
  members[0]!.disconnect = () => new Promise(() => {});
  jest.useFakeTimers();
  let stopped = false;
  void consumer.stop().then(() => (stopped = true));
  await jest.advanceTimersByTimeAsync(9999);
  expect(stopped).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(stopped).toBe(true);
});
