import { describe, expect, it } from '@jest/globals';
import { isIn, placeOf } from './rollout.ts';

const people = Array.from({ length: 20_000 }, (_, i) => `customer-${i}`);
const inOf = (percent: number, flag: string) => people.filter((key) => isIn(percent, flag, key));

/** How far a share of n may be off by chance: five standard deviations. The keys are fixed, so it is no gamble. */
const slack = (share: number, n: number) => 5 * Math.sqrt((share * (1 - share)) / n);

describe('a rollout', () => {
  it('puts a key where it always was: other processes and later versions agree', () => {
    // echo -n html-mail:ada | sha256sum | cut -c1-8
    expect(placeOf('html-mail', 'ada')).toBeCloseTo(44.11904360167682, 10);
    expect(placeOf('html-mail', 'eve')).toBeCloseTo(60.179683938622475, 10);
    expect(placeOf('html-mail', 'Žofie')).toBeCloseTo(16.856690985150635, 10);
  });

  it.each([0.5, 1, 5, 25, 50, 75, 99])('of %s %% is on for that share', (percent) => {
    const share = inOf(percent, 'html-mail').length / people.length;
    expect(Math.abs(share - percent / 100)).toBeLessThan(slack(percent / 100, people.length));
  });

  it('spreads evenly: no tenth of the range is fuller than chance allows', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const key of people) tenths[Math.floor(placeOf('html-mail', key) / 10)]!++;
    for (const count of tenths)
      expect(Math.abs(count / people.length - 0.1)).toBeLessThan(slack(0.1, people.length));
  });

  it('is monotone: whoever is in at 25 % is in at 26, 50 and 100 %', () => {
    const at25 = inOf(25, 'html-mail');
    for (const percent of [26, 50, 100])
      expect(at25.filter((key) => !isIn(percent, 'html-mail', key))).toEqual([]);
  });

  it('takes other people for every flag: of those in one quarter, a quarter is in the other', () => {
    const first = inOf(25, 'html-mail');
    const both = first.filter((key) => isIn(25, 'new-cart', key));
    expect(Math.abs(both.length / first.length - 0.25)).toBeLessThan(slack(0.25, first.length));
  });

  it('is on for nobody at 0 %, and for everybody at 100 %', () => {
    expect(inOf(0, 'html-mail')).toEqual([]);
    expect(inOf(100, 'html-mail')).toHaveLength(people.length);
  });
});
