import { beforeAll, describe, expect, it } from '@jest/globals';
import { knownMistakes } from '../mistakes.ts';
import { EVERY_MS, LATENCY_MS, RECOVERY_MS, SUCCESSES, untilClosed } from './never-closes.fixture.ts';
import { storm } from './retry-storm.fixture.ts';
import { LIMITS, neverCloses, retryStorm, SMALL_BUDGET } from './tables.fixture.ts';

describe('a breaker that never closes', () => {
  it.each([0.3, 0.5, 0.7, 0.9])('open for %d R, it has not closed after 100 R', async (openFor) => {
    const { closedAfter, probes } = await untilClosed({ openFor });
    expect(closedAfter).toBeNull();
    expect(probes).toBeGreaterThan(100); // It did try.
    const settings = { recoveryTimeMs: RECOVERY_MS, openForMs: openFor * RECOVERY_MS };
    expect(knownMistakes(settings)).toHaveLength(1);
  });

  it.each([2, 3])('open for %d R, it closes within 3 R and the time of its probes', async (openFor) => {
    const probesMs = SUCCESSES * (EVERY_MS + LATENCY_MS);
    const { closedAfter, probes } = await untilClosed({ openFor });
    expect(closedAfter).toBeLessThanOrEqual(3 + probesMs / RECOVERY_MS);
    expect(probes).toBe(SUCCESSES);
    expect(knownMistakes({ recoveryTimeMs: RECOVERY_MS, openForMs: openFor * RECOVERY_MS })).toEqual([]);
  });

  it('closes with an open time that is too short at first, when that doubles', async () => {
    const { closedAfter } = await untilClosed({ openFor: 0.3, doubling: true });
    expect(closedAfter).toBeLessThan(3);
  });

  it('closes soon in any case, where no probe sets the upstream back', async () => {
    // The negative control: it is the probes that keep it open.
    for (const openFor of [0.3, 0.5, 0.7, 0.9]) {
      const { closedAfter } = await untilClosed({ openFor, setsBack: false });
      expect(closedAfter).toBeLessThan(2);
    }
  });
});

describe('a retry storm', () => {
  let table: Awaited<ReturnType<typeof retryStorm>>;
  let figures: typeof table.figures;

  beforeAll(async () => {
    table = await retryStorm();
    figures = table.figures;
  }, 30_000);

  it('is spread by jitter', () => {
    const { synchronous, spread } = figures;
    expect(spread.peakRetries / synchronous.peakRetries).toBeLessThanOrEqual(LIMITS.peakRetries);
    // The negative control: without jitter all thousand come back at one moment.
    expect(synchronous.peakRetries).toBeGreaterThanOrEqual(1_000);
  });

  it('is bounded by a budget', () => {
    const { spread, bounded, alone } = figures;
    expect(bounded.requests).toBe(12_000);
    expect(bounded.attemptsPerRequest).toBeLessThanOrEqual(LIMITS.attemptsPerRequest);
    expect(bounded.attemptsPerRequest).toBeGreaterThan(1);
    // The negative controls: no budget, and one that sees a single client only.
    expect(spread.attemptsPerRequest).toBeGreaterThan(3);
    expect(alone.attemptsPerRequest).toBeGreaterThan(LIMITS.attemptsPerRequest);
  });

  it('costs no more than the default budget says, a fifth of the requests and ten retries a second', () => {
    const { defaults } = figures;
    expect(defaults.attemptsPerRequest).toBeLessThanOrEqual(1.26);
  });

  it('is kept off by an open circuit', () => {
    const { broken, alone } = figures;
    expect(broken.reachedWhileOpen).toBeLessThanOrEqual(LIMITS.reachedWhileOpen);
    expect(broken.reachedWhileOpen).toBeGreaterThan(0); // It was open, and probed.
    expect(alone.reachedWhileOpen).toBeGreaterThan(LIMITS.reachedWhileOpen);
  });

  it('is the same for the same seed, and much the same for others', async () => {
    const setting = { jitter: 'full', budget: SMALL_BUDGET } as const;
    expect(await storm(setting)).toEqual(figures.bounded);
    for (const seed of [2, 3]) {
      const { attemptsPerRequest } = await storm({ ...setting, seed });
      expect(attemptsPerRequest).toBeLessThanOrEqual(LIMITS.attemptsPerRequest);
    }
  });

  it('misses no limit, nor does the breaker, in the tables that are printed', async () => {
    for (const { rows, missed } of [await neverCloses(), table]) {
      expect(missed).toEqual([]);
      expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    }
  });
});
