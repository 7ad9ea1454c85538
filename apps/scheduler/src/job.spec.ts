import { describe, expect, it } from '@jest/globals';
import { dueTicks, isCronPattern, job, MOST_MISSED, type Missed } from './job.ts';

const at = (time: string) => new Date(time.length > 15 ? time : `2026-11-21T${time}Z`);
const graceMs = 60_000;

/** What is due at `now` when `last` was the last tick announced, as times of the day. */
function due(pattern: string, missed: Missed, now: string, last?: string) {
  const { ticks, passedOver } = dueTicks(job('x', pattern, { missed }), {
    now: at(now),
    last: last === undefined ? undefined : at(last),
    graceMs,
  });
  return { ticks: ticks.map((tick) => tick.toISOString().slice(11, 19)), passedOver };
}

describe('the ticks that are due', () => {
  it.each([
    ['*/10 * * * * *', '12:00:09.999', '12:00:00'],
    ['*/10 * * * * *', '12:00:10.000', '12:00:10'],
    ['*/10 * * * * *', '12:00:10.001', '12:00:10'],
  ])('%s at %s: begin with %s for a job that was never announced', (pattern, now, expected) => {
    expect(due(pattern, 'once', now)).toEqual({ ticks: [expected], passedOver: 0 });
  });

  it.each(['skip', 'once', 'all'] as const)(
    'are none for a job that was never announced when its latest is older than the grace (%s)',
    (missed) => {
      expect(due('0 5 0 * * *', missed, '15:00:00')).toEqual({ ticks: [], passedOver: 0 });
    },
  );

  it.each(['skip', 'once', 'all'] as const)(
    'are none twice, and one at a time in quiet times (%s)',
    (missed) => {
      expect(due('*/10 * * * * *', missed, '12:00:19.999', '12:00:10')).toEqual({ ticks: [], passedOver: 0 });
      expect(due('*/10 * * * * *', missed, '12:00:20', '12:00:10')).toEqual({
        ticks: ['12:00:20'],
        passedOver: 0,
      });
    },
  );

  it('are none while the clock is behind the last one, as after a switch to a standby', () => {
    expect(due('*/10 * * * * *', 'all', '12:00:05', '12:00:10')).toEqual({ ticks: [], passedOver: 0 });
  });

  it('after a downtime: with skip those within the grace, and none later', () => {
    expect(due('0 * * * * *', 'skip', '12:10:30', '12:00:00')).toEqual({
      ticks: ['12:10:00'],
      passedOver: 9,
    });
    expect(due('*/30 * * * * *', 'skip', '12:10:29', '12:00:00')).toEqual({
      ticks: ['12:09:30', '12:10:00'],
      passedOver: 18,
    });
    expect(due('0 0 * * * *', 'skip', '12:10:00', '11:00:00')).toEqual({ ticks: [], passedOver: 1 });
  });

  it('after a downtime: with once the latest, however old it is', () => {
    expect(due('0 * * * * *', 'once', '12:10:30', '12:00:00')).toEqual({
      ticks: ['12:10:00'],
      passedOver: 9,
    });
    expect(due('0 0 0 * * *', 'once', '12:10:30', '2026-11-18T00:00:00Z')).toEqual({
      ticks: ['00:00:00'],
      passedOver: 2,
    });
  });

  it('after a downtime: with all each of them, oldest first', () => {
    const { ticks, passedOver } = dueTicks(job('x', '0 5 0 * * *', { missed: 'all' }), {
      now: at('2026-11-21T00:04:59Z'),
      last: at('2026-11-17T00:05:00Z'),
      graceMs,
    });
    expect(ticks.map((tick) => tick.toISOString().slice(0, 10))).toEqual([
      '2026-11-18',
      '2026-11-19',
      '2026-11-20',
    ]);
    expect(passedOver).toBe(0);
  });

  it('are bounded, and then the latest ones', () => {
    const { ticks, passedOver } = due('* * * * * *', 'all', '12:10:00', '12:00:00');
    expect(ticks).toHaveLength(MOST_MISSED);
    expect([ticks[0], ticks.at(-1)]).toEqual(['12:08:21', '12:10:00']);
    expect(passedOver).toBeGreaterThan(0);
  });
});

describe('a pattern', () => {
  it('that is none is refused', () => {
    expect(() => job('x', 'every ten seconds')).toThrow();
    expect([isCronPattern('every ten seconds'), isCronPattern('0 5 0 * * *')]).toEqual([false, true]);
  });
});
