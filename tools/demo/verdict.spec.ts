import { describe, expect, it } from '@jest/globals';
import { MOST_GROWTH_BYTES, verdict, type Seen } from './verdict.ts';

const good: Seen = {
  orders: 3,
  paid: 3,
  charges: [1, 1, 1],
  opened: true,
  closedAgain: true,
  pausedPartitions: 2,
  stillPaused: 0,
  deadLetters: 0,
  rssBeforeBytes: 120e6,
  rssDuringBytes: [125e6, 130e6],
};
const failed = (seen: Partial<Seen>) =>
  verdict({ ...good, ...seen })
    .filter(({ ok }) => !ok)
    .map(({ what }) => what);

describe('the verdict on an outage', () => {
  it('is good when everything is as it should be', () => {
    expect(failed({})).toEqual([]);
  });

  it.each<[Partial<Seen>, RegExp]>([
    [{ opened: false }, /did not open/],
    [{ closedAgain: false }, /did not close/],
    [{ pausedPartitions: 0 }, /0 partitions paused/],
    [{ stillPaused: 1 }, /1 of them still/],
    [{ deadLetters: 1 }, /1 messages/],
    [{ paid: 2 }, /2 of 3 orders are paid/],
    [{ charges: [1, 2, 1] }, /2 of 3 orders are charged exactly once/],
    [{ charges: [1, 0, 1] }, /2 of 3 orders are charged exactly once/],
    [{ rssDuringBytes: [120e6 + MOST_GROWTH_BYTES + 1] }, /at most 160 MB/],
    [{ rssDuringBytes: [] }, /at most 0 MB/],
  ])('is bad with %j', (seen, what) => {
    expect(failed(seen)).toEqual([expect.stringMatching(what)]);
  });
});
