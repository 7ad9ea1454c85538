import { describe, expect, it } from '@jest/globals';
import { lagOf } from './lag.ts';

const ends = (offset: string, low = '0') => [
  { topic: 'orders', partitions: [{ partition: 0, offset, low }] },
];
const committed = (offset: string) => [{ topic: 'orders', partitions: [{ partition: 0, offset }] }];

describe('lag', () => {
  it.each([
    ['what is not committed yet', '7', '10', '0', 3],
    ['nothing when all is committed', '10', '10', '0', 0],
    ['all that there is when nothing was ever committed', '-1', '10', '4', 6],
    ['only what is still there, where retention took what was not committed', '2', '10', '6', 4],
    ['nothing in an empty partition', '-1', '0', '0', 0],
    ['nothing rather than less than nothing, when the end was read before the commit', '12', '10', '0', 0],
  ])('is %s', (_, done, end, low, lag) => {
    expect(lagOf(committed(done), ends(end, low))).toEqual([{ topic: 'orders', partition: 0, lag }]);
  });

  it('is in the order of the partitions', () => {
    const partitions = [2, 0, 1].map((partition) => ({ partition, offset: '1', low: '0' }));
    const lags = lagOf([], [{ topic: 'orders', partitions }]);
    expect(lags.map(({ partition }) => partition)).toEqual([0, 1, 2]);
  });

  it('counts a partition that the group does not know', () => {
    expect(lagOf([], ends('5'))).toEqual([{ topic: 'orders', partition: 0, lag: 5 }]);
  });
});
