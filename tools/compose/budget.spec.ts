import { describe, expect, it } from '@jest/globals';
import { budgetOf, mebibytesOf, rowsOf, sentenceOf } from './budget.ts';

const services = [
  { concern: 'engines', name: 'postgres', lasting: true, memory: '512m' },
  { concern: 'engines', name: 'kafka', lasting: true, memory: '1g' },
  { concern: 'apps', name: 'orders', lasting: true, memory: '256m' },
  { concern: 'apps', name: 'orders-migrate', lasting: false, memory: '256m' },
];

describe('a memory budget', () => {
  it('is the sum of the limits of what lasts, for each concern', () => {
    const budgets = budgetOf(services);
    expect(sentenceOf(budgets)).toBe('engines 1.5 GiB, apps 0.3 GiB: 1.8 GiB');
    expect(rowsOf(budgets)).toEqual([
      ['engines', 'postgres, kafka', '1536 MiB'],
      ['apps', 'orders', '256 MiB'],
      ['all', '3 services', '1792 MiB'],
    ]);
  });

  it('is refused when somebody has no limit, were it for a moment only', () => {
    const unlimited = { concern: 'apps', name: 'seed', lasting: false };
    expect(() => budgetOf([...services, unlimited])).toThrow('seed has no mem_limit');
  });

  it.each([
    ['64m', 64],
    ['2gb', 2048],
    ['512k', 0.5],
  ])('takes %s for %d MiB', (limit, mebibytes) => {
    expect(mebibytesOf(limit)).toBe(mebibytes);
  });

  it('says which limit it cannot read', () => {
    expect(() => mebibytesOf('256 MiB')).toThrow('a memory limit is like 256m or 1g, got 256 MiB');
  });
});
