import { describe, expect, it } from '@jest/globals';
import { consumerCheck, Health, outboxCheck, type Check } from './index.ts';

async function found(check: Check) {
  const health = new Health().add('it', check);
  health.started();
  return (await health.ready()).details['it'];
}

describe('consumerCheck', () => {
  const lag = async () => [{ lag: 3 }, { lag: 4n }];

  it.each(['starting', 'crashed', 'stopped'])('is down while the consumer is %s', async (status) => {
    expect(await found(consumerCheck({ status, lag }))).toEqual({
      status: 'down',
      message: `the consumer is ${status}`,
    });
  });

  it('follows the status that the consumer has when it is asked', async () => {
    const consumer = { status: 'starting' };
    const check = consumerCheck(consumer);
    consumer.status = 'joined';
    expect(await found(check)).toEqual({ status: 'up' });
  });

  it('adds up the lag of all partitions', async () => {
    expect(await found(consumerCheck({ status: 'joined', lag }, { maxLag: 7 }))).toEqual({
      status: 'up',
      lag: 7,
    });
    expect(await found(consumerCheck({ status: 'joined', lag }, { maxLag: 6 }))).toEqual({
      status: 'down',
      message: '7 messages behind, more than 6',
      lag: 7,
    });
  });

  it('is up when the lag cannot be had', async () => {
    const away = () => Promise.reject(new Error('broker away'));
    expect(await found(consumerCheck({ status: 'joined', lag: away }))).toEqual({ status: 'up' });
  });
});

describe('outboxCheck', () => {
  const outbox = (depth: number, oldestAgeMs: number) => ({ stats: async () => ({ depth, oldestAgeMs }) });

  it('is up while the oldest row is young, and when there is none', async () => {
    expect(await found(outboxCheck(outbox(2, 60_000)))).toEqual({
      status: 'up',
      depth: 2,
      oldestAgeMs: 60_000,
    });
    expect(await found(outboxCheck(outbox(0, 0)))).toMatchObject({ status: 'up' });
  });

  it('is down when the oldest row is too old', async () => {
    expect(await found(outboxCheck(outbox(2, 5001), { maxAgeMs: 5000 }))).toEqual({
      status: 'down',
      message: 'the oldest of 2 rows waits for 5001 ms',
      depth: 2,
      oldestAgeMs: 5001,
    });
  });
});
