import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from './index.ts';

describe('virtual clock', () => {
  it('stands still until it is told to move', async () => {
    const clock = new VirtualClock(500);
    expect(clock.now()).toBe(500);
    await clock.advance(250);
    expect(clock.now()).toBe(750);
  });

  it('runs what is due in the order of time, and of setting for the same time, each at its own time', async () => {
    const clock = new VirtualClock();
    const ran: [string, number][] = [];
    for (const [name, ms] of [
      ['late', 20],
      ['first', 10],
      ['second', 10],
      ['never', 31],
    ] as const) {
      clock.setTimer(() => ran.push([name, clock.now()]), ms);
    }
    await clock.advance(30);
    expect(ran).toEqual([
      ['first', 10],
      ['second', 10],
      ['late', 20],
    ]);
    expect(clock).toMatchObject({ pending: 1, nextAt: 31 });
  });

  it('lets all that follows from a timer happen before the next one', async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const steps = async (name: string) => {
      for (let i = 0; i < 5; i++) await Promise.resolve();
      log.push(`${name} is through`);
    };
    clock.setTimer(() => void steps('one'), 1);
    clock.setTimer(() => void log.push('two'), 2);
    await clock.advance(5);
    expect(log).toEqual(['one is through', 'two']);
  });

  it('runs timers that are set meanwhile, when they are due, too', async () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const tick = () => {
      at.push(clock.now());
      clock.setTimer(tick, 10);
    };
    clock.setTimer(tick, 10);
    await clock.advance(35);
    expect(at).toEqual([10, 20, 30]);
  });

  it('runs none that was cleared', async () => {
    const clock = new VirtualClock();
    let ran = false;
    clock.clearTimer(clock.setTimer(() => (ran = true), 1));
    await clock.advance(10);
    expect(ran).toBe(false);
    expect(clock).toMatchObject({ pending: 0, nextAt: Infinity });
  });

  it('steps without running what is due, and runs it late', async () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    clock.setTimer(() => at.push(clock.now()), 10);
    clock.step(100);
    expect(at).toEqual([]);
    await clock.advance(0);
    expect(at).toEqual([100]);
  });
});
