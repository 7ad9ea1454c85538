import { describe, expect, it } from '@jest/globals';
import { seeded } from '../random.ts';
import { FULL, partsOf, planOf, QUICK, REBALANCES, type Churn } from './rebalance-plan.ts';
import { POISON } from './rebalance-poison.ts';
import { rebalanceViolations, vacuous, type RebalanceFacts } from './rebalance-verdict.ts';

const demands = { lostAcks: 2, rebalances: 3, poison: ['not JSON'] };
const sent = [
  { subject: 'a', n: 1 },
  { subject: 'b', n: 1 },
  { subject: 'a', n: 2 },
];
const clean: RebalanceFacts = {
  acknowledged: sent,
  effects: sent,
  lostAcks: 2,
  rebalances: 3,
  doubles: 1,
  held: 1,
  poison: [{ kind: 'not JSON', parked: 1, nextAfterMs: 5000 }],
  lettersLeft: 0,
  heldLeft: 0,
  accidents: [],
};

describe('the verdict on a run', () => {
  it('has nothing to say when all is well', () => {
    expect([...rebalanceViolations(clean, demands), ...vacuous(clean, demands)]).toEqual([]);
  });

  const [a1, b1, a2] = sent as [(typeof sent)[0], (typeof sent)[0], (typeof sent)[0]];
  it.each<[string, Partial<RebalanceFacts>, string]>([
    [
      'a message that was lost',
      { effects: [a1, b1] },
      '1 messages were acknowledged and have no effect: a 2',
    ],
    [
      'an effect that is there twice',
      { effects: [a1, b1, a2, a1] },
      '1 effects are there more than once: a 1',
    ],
    [
      'effects that were turned around',
      { effects: [a2, b1, a1] },
      'did not follow upon the one before: a 2, a 1',
    ],
    [
      'a gap that was applied',
      { acknowledged: [b1], effects: [{ subject: 'b', n: 2 }, b1] },
      'did not follow upon the one before: b 2, b 1',
    ],
    ['a letter that is left', { lettersLeft: 1 }, '1 dead letters are left'],
    ['a message that waits for ever', { heldLeft: 2 }, '2 messages are still held'],
    [
      'a member that died',
      { accidents: ['member-1 ended with exit code 1'] },
      'member-1 ended with exit code 1',
    ],
    ['poison that was not parked', { poison: [] }, '"not JSON" is parked 0 times'],
    [
      'poison that is parked twice',
      { poison: [{ kind: 'not JSON', parked: 2, nextAfterMs: 1 }] },
      '"not JSON" is parked 2 times',
    ],
    [
      'poison that holds up the next message',
      { poison: [{ kind: 'not JSON', parked: 1, nextAfterMs: 5001 }] },
      'was done after 5001 ms',
    ],
  ])('tells of %s', (_, change, told) => {
    const wrong = rebalanceViolations({ ...clean, ...change }, demands);
    expect(wrong.join('\n')).toContain(told);
  });

  it.each<[Partial<RebalanceFacts>, string]>([
    [{ lostAcks: 1 }, 'only 1 acknowledgements were lost'],
    [{ rebalances: 2 }, 'only 2 rebalances'],
    [{ doubles: 0 }, 'only 0 messages came twice'],
    [{ held: 0 }, 'only 0 messages were held back'],
  ])('says of a run in which too little happened that it shows little: %j', (change, told) => {
    expect(vacuous({ ...clean, ...change }, demands).join('\n')).toContain(told);
  });
});

describe('the plan', () => {
  const options = { subjects: 5, turned: 0.1 };
  const plan = planOf(200, { ...options, random: seeded(3) });

  it('is the same for the same seed', () => {
    expect(planOf(200, { ...options, random: seeded(3) })).toEqual(plan);
  });

  it('has each number of each subject once, and some of them turned around', () => {
    const bySubject = Map.groupBy(plan, ({ subject }) => subject);
    let turned = 0;
    for (const events of bySubject.values()) {
      const numbers = events.map(({ n }) => n);
      const inOrder = numbers.toSorted((one, other) => one - other);
      expect(inOrder).toEqual(Array.from(numbers, (_, i) => i + 1));
      if (numbers.join() !== inOrder.join()) turned++;
    }
    expect(turned).toBeGreaterThan(0);
  });

  it('is shared out to the steps, all of it and in order', () => {
    expect(partsOf(plan, FULL)).toHaveLength(FULL.length);
    expect(partsOf(plan, FULL).flat()).toEqual(plan);
  });

  it('asks for ten rebalances and more, and never ends the last member', () => {
    const rebalances = (steps: Churn[]) => steps.reduce((sum, step) => sum + REBALANCES[step], 0);
    expect(rebalances(FULL)).toBeGreaterThanOrEqual(10);
    for (const steps of [FULL, QUICK]) {
      let members = 3;
      for (const step of steps) {
        members += { join: 1, leave: -1, kill: -1, pause: 0 }[step];
        expect(members).toBeGreaterThanOrEqual(2);
      }
    }
  });

  it('knows five kinds of poison', () => {
    expect(Object.keys(POISON)).toHaveLength(5);
  });
});
