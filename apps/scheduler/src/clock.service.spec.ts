import { describe, expect, it } from '@jest/globals';
import { ClockService } from './clock.service.ts';
import { job } from './job.ts';

/** A table with a primary key, which is all that replicas share. */
function sharedRuns() {
  const rows = new Set<string>();
  const claim = async (name: string, tick: Date) => {
    const key = `${name}@${tick.toISOString()}`;
    return !rows.has(key) && !!rows.add(key);
  };
  return { rows, claim };
}

describe('ClockService', () => {
  const jobs = [job('every-ten', '*/10 * * * * *')];
  const quiet = { lookMs: 1000, onRun: () => {}, onError: () => {} };

  it('claims each tick once, over replicas whose clocks differ', async () => {
    const runs = sharedRuns();
    let now = Date.parse('2026-11-21T12:00:00Z');
    const ran: string[] = [];
    const replica = (skewMs: number) =>
      new ClockService(jobs, runs, {
        ...quiet,
        now: () => new Date(now + skewMs),
        onRun: (_, tick) => void ran.push(tick.toISOString()),
      });
    const replicas = [replica(0), replica(3000), replica(-4000)];
    for (let second = 0; second < 60; second++, now += 1000) for (const each of replicas) await each.look();
    expect(new Set(ran).size).toBe(ran.length);
    // From the slowest clock's first tick to the fastest one's last.
    expect(ran.length).toBe(8);
  });

  it('tries a tick again when the claim failed', async () => {
    const runs = sharedRuns();
    const errors: unknown[] = [];
    let broken = true;
    const claim = (name: string, tick: Date) =>
      broken ? Promise.reject(new Error('database away')) : runs.claim(name, tick);
    const clock = new ClockService(
      jobs,
      { claim },
      { ...quiet, onError: (error) => void errors.push(error) },
    );
    await clock.look();
    broken = false;
    await clock.look();
    expect(errors).toHaveLength(1);
    expect(runs.rows.size).toBe(1);
  });
});
