import { describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import type { Stage } from '../../local/stage.ts';
import type { Fault } from './faults.ts';
import { FaultRunner } from './faults.runner.ts';

describe('the faults of a schedule', () => {
  it('strike nothing again before it is back, however late that is', async () => {
    const seen: string[] = [];
    const isBack = Promise.withResolvers<void>();
    const one = {
      name: 'orders',
      onGone: () => undefined,
      kill: async () => void seen.push('killed'),
      start: async () => {
        seen.push('begun');
        await isBack.promise;
        seen.push('back');
      },
    };
    const { signal } = new AbortController();
    const stage = {
      ...{ processes: { orders: one }, simulators: one, proxies: {}, signal },
      launch: { engines: { REDIS_URL: 'redis://127.0.0.1:6379' }, ports: { gateway: 1 } },
    } as unknown as Stage;
    const kill: Fault = { number: 1, kind: 'kill', target: 'orders', atMs: 0, forMs: 0 };
    const runner = new FaultRunner(stage, new Map(), () => 0);
    const over = runner.run([kill, { ...kill, number: 2 }], signal);
    while (!seen.includes('begun')) await setImmediate();
    isBack.resolve();
    await over;
    expect(seen).toEqual(['killed', 'begun', 'back', 'killed', 'begun', 'back']);
  });
});
