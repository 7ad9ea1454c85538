import { exponential } from '../backoff.ts';
import { RECOVERY_MS, untilClosed, type Setting } from './never-closes.fixture.ts';
import { ATTEMPTS, CLIENTS, OUTAGE_MS, storm, type Storm, type StormSetting } from './retry-storm.fixture.ts';

export type Table = { title: string; caption: string; rows: string[][]; missed: string[] };

/** What has to come out of the storm. */
export const LIMITS = {
  /** Full jitter ÷ no jitter. */
  peakRetries: 0.2,
  attemptsPerRequest: 1.1,
  reachedWhileOpen: 0.02,
};

export const SMALL_BUDGET = { ratio: 0.05, perSecond: 1 };

const TOO_SHORT = [0.3, 0.5, 0.7, 0.9];
const LONG_ENOUGH = [2, 3];

export async function neverCloses(): Promise<Table> {
  const rows = [['open time', 'closed after', 'calls that reached the upstream']];
  const missed: string[] = [];
  const add = async (name: string, setting: Setting): Promise<number> => {
    const { closedAfter, probes } = await untilClosed(setting);
    rows.push([name, closedAfter === null ? 'never, in 100 R' : `${closedAfter.toFixed(2)} R`, `${probes}`]);
    return closedAfter ?? Infinity;
  };
  for (const openFor of TOO_SHORT) {
    if ((await add(`${openFor} R`, { openFor })) < Infinity) missed.push(`${openFor} R closes`);
  }
  for (const openFor of LONG_ENOUGH) {
    if ((await add(`${openFor} R`, { openFor })) > 3.1) missed.push(`${openFor} R takes too long to close`);
  }
  await add('0.3 R, doubling', { openFor: 0.3, doubling: true });
  return {
    title: 'A breaker that never closes',
    caption:
      `An upstream needs R (${RECOVERY_MS / 1_000} s) to recover; a call that hits it meanwhile makes it begin again. ` +
      'Each probe of a breaker that is open for less than R is such a call. Calls come every R / 100, three successes ' +
      'close the circuit; times are from its first opening. At least 2 R is right, or an open time that doubles.',
    rows,
    missed,
  };
}

export async function retryStorm() {
  const { peakRetries, attemptsPerRequest, reachedWhileOpen } = LIMITS;
  const rows = [
    [
      'each client',
      'peak',
      `of no jitter, ≤ ${peakRetries}`,
      `attempts per request, ≤ ${attemptsPerRequest}`,
      `hit it while open, ≤ ${reachedWhileOpen}`,
    ],
  ];
  const add = async (name: string, setting: StormSetting, noJitter?: Storm): Promise<Storm> => {
    const seen = await storm(setting);
    rows.push([
      name,
      `${seen.peakRetries}`,
      noJitter === undefined ? '–' : (seen.peakRetries / noJitter.peakRetries).toFixed(2),
      seen.attemptsPerRequest.toFixed(2),
      setting.breaker ? seen.reachedWhileOpen.toFixed(4) : '–',
    ]);
    return seen;
  };
  const full = { jitter: 'full' } as const;
  const synchronous = await add('retries without jitter', { jitter: 'none', budget: false });
  const spread = await add('retries with full jitter', { ...full, budget: false }, synchronous);
  const bounded = await add('… and a budget of 5 % + 1/s', { ...full, budget: SMALL_BUDGET });
  const broken = await add('… and the breaker, its defaults', {
    ...full,
    budget: SMALL_BUDGET,
    breaker: true,
  });
  const defaults = await add('has the default budget, 20 % + 10/s', { ...full });
  const backoff = exponential({ base: '200ms', max: '5s' });
  await add('has the default back-off, full jitter', { ...full, budget: false, backoff }, synchronous);
  const alone = await add('has a pipeline of its own, all defaults', {
    ...full,
    breaker: true,
    pipelinePerClient: true,
  });
  const missed = [
    spread.peakRetries > peakRetries * synchronous.peakRetries && 'jitter does not spread the retries',
    bounded.attemptsPerRequest > attemptsPerRequest && 'the budget does not bound the attempts',
    broken.reachedWhileOpen > reachedWhileOpen && 'the open circuit lets too much through',
  ].filter((what) => what !== false);
  return {
    figures: { synchronous, spread, bounded, broken, defaults, alone },
    title: 'A retry storm',
    caption:
      `${CLIENTS} clients of one process, a request every 5 s each, so 200 per second in all, through one pipeline; an ` +
      `outage of ${OUTAGE_MS / 1_000} s, of which the upstream hangs for 5 s and then fails the ${CLIENTS} requests in ` +
      `flight at one moment, and all that follow at once. ${ATTEMPTS} attempts, back-off 2 s, 4 s, 8 s. Peak: most ` +
      'retries that hit the upstream within 100 ms. The last three lines are for comparison, without a limit: what the ' +
      'defaults give, and what a budget and a breaker are worth that see one client only.',
    rows,
    missed,
  };
}
