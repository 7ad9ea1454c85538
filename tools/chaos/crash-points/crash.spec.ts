import { describe, expect, it } from '@jest/globals';
import { CRASH_POINTS } from './crash-point-table.ts';
import { settingsOf } from './crash-points.ts';
import { crashViolations, jobViolations, underWay, type CrashRun, type Progress } from './crash-verdict.ts';

const clean: CrashRun = {
  ...{ point: 'payments: charge, after', run: 1, seed: 1, hit: 'POST /v1/charges', readyMs: 900 },
  ...{ convergedMs: 8000, orders: 4, mailsAgain: 0, found: [], jobs: [] },
};

describe('the points', () => {
  const named = (name: string) => CRASH_POINTS.find((point) => point.name === name)!;
  const asks = (name: string, what: string, within: string[] = []) => named(name).matches({ what, within });

  it('are at least 24, each with a name of its own', () => {
    expect(CRASH_POINTS.length).toBeGreaterThanOrEqual(24);
    expect(new Set(CRASH_POINTS.map(({ name }) => name)).size).toBe(CRASH_POINTS.length);
  });

  it('include every app in their quick form', () => {
    const quick = CRASH_POINTS.filter((point) => point.quick).map(({ app }) => app);
    expect(new Set(quick)).toEqual(new Set(CRASH_POINTS.map(({ app }) => app)));
  });

  it('tell a commit by what was done in its transaction', () => {
    const settle = ['INSERT INTO inbox (consumer, message_id) VALUES', 'UPDATE orders SET state = $2'];
    expect(asks('orders: settle commit, before', 'COMMIT', settle)).toBe(true);
    expect(asks('orders: settle commit, before', 'COMMIT', ['UPDATE payment SET state = $2'])).toBe(false);
    expect(asks('orders: cancel commit, after', 'COMMIT', settle)).toBe(false);
    expect(asks('orders: cancel commit, after', 'COMMIT', ['UPDATE orders SET state = $2'])).toBe(true);
  });

  it('let a mail go out again only between its 250 and the commit that remembers it', () => {
    const repeating = CRASH_POINTS.filter((point) => point.mayRepeatMail).map(({ name }) => name);
    expect(repeating).toEqual(['notifications: SMTP message, after', 'notifications: settle commit, before']);
  });
});

describe('a crash', () => {
  it('that was hit, settled in time and left every book right violates nothing', () => {
    expect(crashViolations(clean)).toEqual([]);
  });

  it.each<[string, Partial<CrashRun>, string]>([
    ['that was never reached', { hit: undefined }, 'the point was never reached'],
    ['that never settled', { convergedMs: undefined }, 'it never settled'],
    ['that settled too late', { convergedMs: 10_001 }, 'settled 10.0 s after the restart, not within 10.0 s'],
    [
      'after which a mail went out again',
      { mailsAgain: 1 },
      '1 e-mails went out again, and nothing here can cause that',
    ],
    [
      'that charged twice',
      { found: [{ kind: 'doubled', text: 'order o was charged 2 times' }] },
      'doubled: order o was charged 2 times',
    ],
    ['that lost a job', { jobs: ['job: lost'] }, 'job: lost'],
  ])('%s is a violation', (_, change, violation) => {
    expect(crashViolations({ ...clean, ...change })).toEqual([violation]);
  });

  it('may send a mail again where that cannot be helped', () => {
    expect(crashViolations({ ...clean, mailsAgain: 1 }, { mayRepeatMail: true })).toEqual([]);
  });
});

describe('what is under way', () => {
  const settled: Progress = {
    orders: [
      { id: 'a', state: 'paid' },
      { id: 'b', state: 'refunded' },
    ],
    payments: [
      { orderId: 'a', state: 'succeeded' },
      { orderId: 'b', state: 'refunded' },
    ],
    sent: [
      { orderId: 'a', template: 'receipt' },
      { orderId: 'b', template: 'order_refunded' },
    ],
    leftovers: { 'rows in outbox of orders': 0 },
  };

  it('is nothing once orders, payments and letters agree and no row waits', () => {
    expect(underWay(settled)).toEqual([]);
  });

  it.each<[string, Partial<Progress>, string]>([
    [
      'a payment that is missing',
      { payments: settled.payments.slice(1) },
      'order a is paid, its payment none',
    ],
    [
      'a letter that is missing',
      { sent: settled.sent.slice(1) },
      'order a is paid, without its receipt letter',
    ],
    ['a row in an outbox', { leftovers: { 'rows in outbox of orders': 2 } }, '2 rows in outbox of orders'],
    [
      'an order that waits',
      { orders: [{ id: 'a', state: 'pending' }] },
      'order a is pending, its payment succeeded',
    ],
  ])('is %s', (_, change, what) => {
    expect(underWay({ ...settled, ...change })).toEqual([what]);
  });
});

describe('jobs', () => {
  const run = (tick: string) => ({ job: 'clean-up', tick });
  const first = run('2026-11-22T09:00:00.000Z');
  const second = run('2026-11-22T09:00:02.000Z');
  const restart = new Date('2026-11-22T09:00:01Z');
  const events = [
    { ...first, id: '1' },
    { ...second, id: '2' },
  ];

  it('are right when each tick is one event, however often it was sent', () => {
    expect(jobViolations([first, second], [...events, events[0]!], restart)).toEqual([]);
  });

  it.each([
    ['a tick that nobody heard of', [first, second], events.slice(1), /claimed and never announced/],
    [
      'a tick that is two events',
      [first, second],
      [...events, { ...first, id: '3' }],
      /announced as 2 events/,
    ],
    ['a clock that stands still', [first], events, /no tick was claimed after the restart/],
  ])('tell %s', (_, runs, seen, what) => {
    expect(jobViolations(runs, seen, restart)).toEqual([expect.stringMatching(what)]);
  });
});

describe('the command line', () => {
  it('takes the points that have a text in their names, without the control', () => {
    const { points, control } = settingsOf(['--point', 'SMTP', '--times', '2', '--seed', '7']);
    expect(points.map(({ name }) => name)).toEqual([
      'notifications: SMTP message, before',
      'notifications: SMTP message, after',
    ]);
    expect(control).toBe('none');
  });

  it.each([
    [['--point', 'nowhere'], 'no point has "nowhere" in its name'],
    [['--times', '0'], '--times must be a whole number above 0'],
    [['--without', 'inbox'], '--without knows "key" only'],
  ])('refuses %s', (args, message) => {
    expect(() => settingsOf(args)).toThrow(message);
  });
});
