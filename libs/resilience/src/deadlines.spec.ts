import { describe, expect, it, jest } from '@jest/globals';
import { DeadlineList, deadlineList, Expiring } from './deadlines.ts';
import { pipeline } from './pipeline.ts';
import { seeded } from './seeded.fixture.ts';
import { VirtualClock } from './testing/index.ts';
import { crowd } from './work.fixture.ts';

class Node extends Expiring {
  readonly #log: Node[];
  constructor(log: Node[]) {
    super();
    this.#log = log;
  }
  override expire(): void {
    this.#log.push(this);
  }
}

describe('deadline list', () => {
  it('has one timer for all calls of all pipelines of a clock that wait for the same time', async () => {
    const clock = new VirtualClock();
    const pipelines = Array.from({ length: 20 }, (_, i) => pipeline({ name: `p${i}`, clock }).timeout('1s'));
    const crowds = pipelines.map((each) => crowd(each, 50));
    expect(clock.pending).toBe(1);
    await clock.advance(1_000);
    for (const { outcomes } of crowds) {
      for (const outcome of outcomes) expect(await outcome).toMatchObject({ error: { code: 'timeout' } });
    }
    expect(clock.pending).toBe(0);
  });

  it('sets no timer for calls that come while one is set, and lets go of it when all have ended', async () => {
    const clock = new VirtualClock();
    const set = jest.spyOn(clock, 'setTimer');
    const billing = pipeline({ name: 'billing', clock }).timeout('1s');
    for (let i = 0; i < 100; i++) {
      await billing.execute(() => 'up');
      clock.step(1);
    }
    expect(set).toHaveBeenCalledTimes(1);
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
    expect(set).toHaveBeenCalledTimes(1);
  });

  it('expires each within a millisecond of its time, none before and none that was removed, whatever comes and goes', async () => {
    const clock = new VirtualClock();
    const list = new DeadlineList(100, clock);
    const random = seeded(11);
    const expired: Node[] = [];
    const dueAt = new Map<Node, number>();
    for (let step = 0; step < 1_500; step++) {
      const dice = random();
      if (dice < 0.5) {
        const node = new Node(expired);
        list.add(node, clock.now());
        dueAt.set(node, clock.now() + 100);
        expect(node.dueMs).toBe(clock.now() + 100);
      } else if (dice < 0.75 && dueAt.size > 0) {
        const [removed] = [...dueAt.keys()].slice(Math.floor(random() * dueAt.size));
        list.remove(removed!);
        dueAt.delete(removed!);
        expect(removed!.dueMs).toBe(Infinity);
      }
      await clock.advance(random() * 10);
      for (const node of expired.splice(0)) {
        expect(dueAt.get(node)).toBeLessThanOrEqual(clock.now());
        dueAt.delete(node);
      }
      expect(Math.min(...dueAt.values())).toBeGreaterThan(clock.now() - 1);
    }
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  it('waits on when the timer of the platform comes early', async () => {
    const clock = new VirtualClock();
    const timers: (() => void)[] = [];
    const early = {
      now: () => clock.now(),
      setTimer: (run: () => void) => timers.push(run),
      clearTimer() {},
    };
    const expired: Node[] = [];
    new DeadlineList(100, early).add(new Node(expired), 0);
    await clock.advance(99.5);
    timers.shift()!();
    expect(expired).toHaveLength(0);
    expect(timers).toHaveLength(1);
    await clock.advance(0.5);
    timers.shift()!();
    expect(expired).toHaveLength(1);
    expect(timers).toHaveLength(0);
  });

  it('is one for each clock and duration', () => {
    const [one, other] = [new VirtualClock(), new VirtualClock()];
    expect(deadlineList(one, 100)).toBe(deadlineList(one, 100));
    expect(deadlineList(one, 100)).not.toBe(deadlineList(one, 200));
    expect(deadlineList(one, 100)).not.toBe(deadlineList(other, 100));
  });
});
