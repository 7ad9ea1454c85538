import { describe, expect, it } from '@jest/globals';
import { drawFate, faultsPatchSchema, faultsSchema, noFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import { parse } from './problem.ts';
import { seededRandom } from './random.ts';

const fates = (faults: Partial<Faults>, seed = 1, count = 10_000) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => drawFate({ ...noFaults, ...faults }, random));
};

describe('faults', () => {
  it('strike nothing when all are off', () => {
    for (const fate of fates({})) {
      expect(fate).toEqual({
        delayMs: 0,
        before: 'pass',
        forceDecline: false,
        refuseRefund: false,
        after: 'pass',
      });
    }
  });

  it('strike everything at rate 1, the earliest one first', () => {
    const all = { rateLimitRate: 1, errorRate: 1, hangRate: 1, declineRate: 1, errorAfterCaptureRate: 1 };
    expect(fates(all, 1, 1)[0]).toMatchObject({ before: 'rate-limit', forceDecline: true, after: 'error' });
    expect(fates({ errorRate: 1, hangRate: 1 }, 1, 1)[0]).toMatchObject({ before: 'error' });
    expect(fates({ hangRate: 1, hangAfterCaptureRate: 1 }, 1, 1)[0]).toMatchObject({
      before: 'hang',
      after: 'hang',
    });
  });

  it('strike about the share they are told', () => {
    const errors = fates({ errorRate: 0.3 }).filter(({ before }) => before === 'error').length;
    expect(errors).toBeGreaterThan(2800);
    expect(errors).toBeLessThan(3200);
  });

  it('come in the same order from the same seed, and in another from another', () => {
    const faults = { errorRate: 0.5, latencyMs: 10, latencyJitterMs: 90 };
    expect(fates(faults, 7)).toEqual(fates(faults, 7));
    expect(fates(faults, 7)).not.toEqual(fates(faults, 8));
  });

  it('leave each other alone: switching one on does not move where another strikes', () => {
    const hits = (faults: Partial<Faults>) =>
      fates({ declineRate: 0.2, ...faults }).map((fate) => fate.forceDecline);
    expect(hits({ errorRate: 0.5, latencyJitterMs: 5 })).toEqual(hits({}));
  });

  it('delay between the latency and the latency with all its jitter', () => {
    const delays = fates({ latencyMs: 100, latencyJitterMs: 50 }).map(({ delayMs }) => delayMs);
    expect(Math.min(...delays)).toBe(100);
    expect(Math.max(...delays)).toBe(150);
  });

  it.each([
    ['errorRate', { errorRate: 1.01 }],
    ['errorRate', { errorRate: '1' }],
    ['latencyMs', { latencyMs: -1 }],
    ['errorrate', { errorrate: 1 }],
  ])('names %s when it does not fit: %j', (field, patch) => {
    expect(() => parse(faultsPatchSchema, patch)).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ field })] }),
    );
  });

  it('need every field when they are put as a whole', () => {
    expect(() => parse(faultsSchema, { errorRate: 1 })).toThrow('latencyMs');
  });
});
