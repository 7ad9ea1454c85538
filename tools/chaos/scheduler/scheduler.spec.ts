import { describe, expect, it } from '@jest/globals';
import { seeded } from '../random.ts';
import { faultsOf } from './scheduler-faults.ts';
import { missingTicks, violationsOf, type Announcement, type JobBook } from './scheduler-verdict.ts';

const second = (n: number) => n * 1000;
const at = (tick: number, more: Partial<Announcement> = {}): Announcement => ({
  ...{ tickMs: second(tick), atMs: second(tick) + 150, replica: 'a', state: 'finished', attempts: 1 },
  ...more,
});

/** Thirty ticks, those of `downtime` announced as the policy wants it when it was over. */
function aBook(policy: JobBook['policy']): JobBook {
  const after = second(20) + 100;
  const missed = { all: [12, 13, 14, 15, 16, 17, 18, 19], once: [], skip: [18, 19] }[policy];
  const ticks = Array.from({ length: 30 }, (_, i) => i + 1);
  const announced = [
    ...ticks.filter((tick) => tick < 12 || tick >= 20).map((tick) => at(tick)),
    ...missed.map((tick, i) => at(tick, { atMs: after + i })),
  ];
  announced.sort((a, b) => a.tickMs - b.tickMs);
  return { job: policy, policy, announced, effects: new Map(announced.map(({ tickMs }) => [tickMs, 1])) };
}
const circumstances = {
  untilMs: second(30),
  graceMs: 3000,
  downtimes: [[second(12), second(20)]] as [number, number][],
};
const judge = (book: JobBook) =>
  violationsOf(book, circumstances).map(({ kind, text }) => `${kind}: ${text}`);
const tickOf = (book: JobBook, tick: number) => book.announced.find(({ tickMs }) => tickMs === second(tick))!;
const without = (book: JobBook, ...ticks: number[]) => {
  book.announced = book.announced.filter(({ tickMs }) => !ticks.includes(tickMs / 1000));
};

describe('the verdict on ticks', () => {
  it.each(['all', 'once', 'skip'] as const)('finds nothing wrong with %s as it should be', (policy) => {
    expect(judge(aBook(policy))).toEqual([]);
  });

  it('knows what was passed over', () => {
    expect(missingTicks(aBook('skip').announced, second(30)).map((ms) => ms / 1000)).toEqual([
      12, 13, 14, 15, 16, 17,
    ]);
  });

  it.each<[string, JobBook['policy'], (book: JobBook) => unknown, string]>([
    [
      'a tick twice',
      'all',
      (book) => book.announced.push(at(5, { replica: 'b' })),
      'double: all 00:00:05 was announced twice, by a and b',
    ],
    [
      'an effect twice',
      'all',
      (book) => book.effects.set(second(5), 2),
      'effect: all 00:00:05 had its effect 2 times',
    ],
    [
      'no effect',
      'once',
      (book) => book.effects.delete(second(5)),
      'effect: once 00:00:05 had its effect 0 times',
    ],
    [
      'a run that nobody finished',
      'all',
      (book) => (tickOf(book, 5).state = 'failed'),
      'unfinished: all 00:00:05 is failed after 1 attempts',
    ],
    [
      'a tick before its time',
      'all',
      (book) => (tickOf(book, 5).atMs = second(4)),
      'early: all 00:00:05 was announced 1000 ms before it was due, by a',
    ],
    [
      'a tick after a later one',
      'all',
      (book) => (tickOf(book, 5).atMs = second(6) + 900),
      'order: all 00:00:05 was announced after 00:00:06',
    ],
    [
      'a tick that all would have made up for',
      'all',
      (book) => without(book, 14),
      'missing: all 00:00:14 was never announced',
    ],
    [
      'one out of four, while replicas ran, with once',
      'once',
      (book) => without(book, 2, 4, 6, 8),
      'missing: once 00:00:02 was passed over while replicas ran',
    ],
    [
      'once for an old one, when there were later',
      'once',
      (book) => (without(book, 20, 21, 22, 23), (tickOf(book, 24).atMs = second(28))),
      'policy: once 00:00:24 was announced for those before it 4000 ms late: there were later ones',
    ],
    [
      'a job that stands still',
      'once',
      (book) => without(book, 28, 29, 30),
      'missing: once 00:00:28 was never announced, nor any after it',
    ],
    [
      'one beyond the grace',
      'skip',
      (book) => (tickOf(book, 18).atMs = second(23.5)),
      'policy: skip 00:00:18 was announced 5500 ms late, beyond the grace',
    ],
    [
      'one left out within the grace',
      'skip',
      (book) => without(book, 5),
      'policy: skip 00:00:05 was left out within the grace',
    ],
  ])('finds %s', (_, policy, plant, violation) => {
    const book = aBook(policy);
    plant(book);
    expect(judge(book)).toContain(violation);
  });

  it('leaves a busy machine a second now and then', () => {
    const book = aBook('once');
    without(book, 5);
    expect(judge(book)).toEqual([]);
  });

  it('leaves alone what is still under way', () => {
    const book = aBook('all');
    book.announced.push(at(31, { state: 'announced' }));
    expect(judge(book)).toEqual([]);
  });
});

describe('the faults', () => {
  it('are the same for the same seed, of every kind, with something after the downtime', () => {
    expect(faultsOf(seeded(7), false, 3)).toEqual(faultsOf(seeded(7), false, 3));
    for (let seed = 1; seed < 50; seed++) {
      const kinds = faultsOf(seeded(seed), false, 3).map(({ kind }) => kind);
      expect(new Set(kinds)).toEqual(new Set(['kill', 'pause', 'mute', 'refuse', 'downtime']));
      expect(kinds.indexOf('downtime')).toBe(kinds.length - 2);
    }
  });
});
