import { describe, expect, it } from '@jest/globals';
import { consecutive, pipeline } from '../index.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const down = () => Promise.reject(new Error('down'));
const hung = () => new Promise<never>(() => {});

describe('What the model has found', () => {
  it('counts and tells the end of a call once when its last attempt throws', async () => {
    const settled: string[] = [];
    const calls = pipeline({ name: 'it', clock: new VirtualClock() }).retry({
      attempts: 1,
      idempotent: true,
    });
    calls.on('settled', ({ status }) => settled.push(status));

    await expect(calls.execute(down)).rejects.toThrow('down');

    expect(settled).toEqual(['failed']);
    expect(calls.counts()).toMatchObject({ calls: 1, failed: 1, ignored: 0 });
  });
});
