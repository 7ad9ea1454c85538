import { describe, expect, it } from '@jest/globals';
import { quickRows, verdictsIn } from './quick-summary.ts';

describe('a summary of quick chaos', () => {
  const output = '✓ postgres  ready (1.2 s)\n✗ 2 orders are missing\n✗ 1 is doubled\n✓ lost 0, doubled 0\n';

  it('quotes the last thing that a kind said when it passed, and all that was wrong when it did not', () => {
    expect(verdictsIn(output, true)).toEqual(['lost 0, doubled 0']);
    expect(verdictsIn(output, false)).toEqual(['2 orders are missing', '1 is doubled']);
    expect(verdictsIn('Error: no such file', false)).toEqual([]);
  });

  it('has a row for each kind that was begun, also for one that ended without a word', () => {
    const common = { tookMs: 31_400, calledOff: false };
    const rows = quickRows([
      { kind: 'soak', code: 0, verdicts: ['lost 0'], ...common },
      { kind: 'outbox', code: 1, verdicts: [], ...common },
      { kind: 'rebalance', code: 1, verdicts: ['ended by SIGINT'], ...common, calledOff: true },
    ]);
    expect(rows).toEqual([
      ['chaos', '', 'took', ''],
      ['soak', 'passed', '31 s', 'lost 0'],
      ['outbox', 'exit 1', '31 s', 'it said nothing; its log says why'],
      ['rebalance', 'called off', '31 s', 'ended by SIGINT'],
    ]);
  });
});
