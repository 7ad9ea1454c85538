import { describe, expect, it, jest } from '@jest/globals';
import { holds, likeTheModel, nothingYet } from './check.fixture.ts';

jest.setTimeout(300_000);

const isReplay = process.env.RESILIENCE_PATH !== undefined || process.env.RESILIENCE_RUNS !== undefined;

/** What must have come up, for the schedules to prove anything. */
const MUST_HAPPEN = [
  ...['failure_rate', 'slow_rate', 'failures_in_a_row', 'failure_count'].map(
    (why) => `closed > open: ${why}`,
  ),
  ...['closed > isolated: isolated', 'open > isolated: isolated', 'half_open > isolated: isolated'],
  ...[
    'open > half_open: open_time_over',
    'half_open > open: max_wait_over',
    'half_open > open: probes_failed',
  ],
  ...['half_open > closed: probes_succeeded', 'open > closed: released', 'half_open > closed: released'],
  ...['closed > open: restored', 'closed > half_open: restored', 'closed > closed: restored'],
]
  .map((change) => `stateChange ${change}`)
  .concat(['ok', 'failed', 'ignored', 'cancelled', 'rejected'].map((status) => `settled ${status} after `))
  .concat(['circuit_open', 'bulkhead_full', 'queue_timeout'].map((code) => `rejected ${code}`))
  .concat('timeout of attempt after ', 'fallback for failed', 'fallback for rejected')
  .map((event) => `pipeline ${event}`)
  .concat(
    ['timeout ', 'deadline_exceeded ', 'cancelled because all callers'].map(
      (why) => `signal of aborted: ${why}`,
    ),
  );

describe('Any pipeline, under any schedule of calls, ends, cancels and clock steps', () => {
  it('does after each step what the rules say, in their order', async () => {
    const tally = nothingYet();

    await holds(likeTheModel(tally), 'model/model');

    if (isReplay) return;
    expect(tally.schedules).toBeGreaterThanOrEqual(10_000);
    expect(tally.cut / tally.schedules).toBeLessThan(0.01);
    expect(MUST_HAPPEN.filter((line) => !tally.happened.has(line))).toEqual([]);
  });
});
