import { describe, expect, it } from '@jest/globals';
import { beginTrace, missingOf, type StoredSpan } from './traces.client.ts';

const span = (spanId: string, parentSpanId: string | null, service: string) =>
  ({ spanId, parentSpanId, service, name: 'work' }) as StoredSpan;

describe('a trace of our own', () => {
  it('is asked to be sampled, and is another one each time', () => {
    const { traceId, spanId, traceparent } = beginTrace();
    expect(traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(beginTrace().traceId).not.toBe(traceId);
  });

  it('is whole when all services are there and no parent is missing', () => {
    const spans = [span('1', 'mine', 'orders'), span('2', '1', 'worker')];
    expect(missingOf(spans, { spanId: 'mine' }, ['orders', 'worker'])).toEqual([]);
  });

  it('is not whole before, and it is told what is missing', () => {
    const spans = [span('1', 'mine', 'orders'), span('3', '2', 'worker')];
    expect(missingOf(spans, { spanId: 'mine' }, ['orders', 'payments', 'worker'])).toEqual([
      'no span of payments',
      'the parent of worker: work',
    ]);
  });
});
