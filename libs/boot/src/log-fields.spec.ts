import { describe, expect, it } from '@jest/globals';
import { logFields } from './log-fields.ts';

describe('the fields of a log line', () => {
  it('are in snake case, durations in whole milliseconds', () => {
    expect(logFields({ elapsedMs: 12.7, inFlight: 3, signal: 'SIGTERM', open: ['kafka'] })).toEqual({
      elapsed_ms: 13,
      in_flight: 3,
      signal: 'SIGTERM',
      open: ['kafka'],
    });
  });
});
