import { describe, expect, it } from '@jest/globals';
import { orderOf, outboxViolations, type OutboxFacts } from './outbox-verdict.ts';

const well: OutboxFacts = {
  written: { a: 3, b: 1 },
  seen: [1, 2, 2, 1, 3].map((n) => ({ key: 'a', n })).concat({ key: 'b', n: 1 }),
  takeOvers: [{ how: 'SIGKILL', ms: 3400 }],
  usurped: 0,
  left: 0,
};
const seen = (...numbers: number[]) => numbers.map((n) => ({ key: 'a', n }));

describe('the verdict on the outbox', () => {
  it('takes doubles, which the inbox undoes, for no violation', () => {
    expect(outboxViolations(well)).toEqual([]);
    expect(orderOf(well)).toEqual({ lost: 0, inversions: 0, doubles: 2 });
  });

  it.each([
    ['an event that never came', { seen: seen(1, 2) }, '2 events were committed and never came'],
    [
      'an event that came after a later one',
      { written: { a: 3 }, seen: seen(1, 3, 2, 3) },
      '1 events came after a later one of their key',
    ],
    ['a usurper', { usurped: 7 }, '7 rows were removed by a relay that did not hold the lease'],
    ['an outbox that is not empty', { left: 2 }, '2 rows are left in the outbox'],
    [
      'a slow take-over',
      { takeOvers: [{ how: 'SIGSTOP', ms: 5001 }] },
      'nobody took over for 5001 ms after SIGSTOP',
    ],
    ['no take-over', { takeOvers: [{ how: 'SIGKILL', ms: undefined }] }, 'nobody took over after SIGKILL'],
  ])('sees %s', (_, wrong, text) => {
    expect(outboxViolations({ ...well, ...wrong })).toEqual([text]);
  });
});
