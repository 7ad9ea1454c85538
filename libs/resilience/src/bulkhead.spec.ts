import { describe, expect, it } from '@jest/globals';
import { Bulkhead, type Waiting } from './bulkhead.ts';
import { pipeline } from './pipeline.ts';
import { seeded } from './seeded.fixture.ts';
import { VirtualClock } from './testing/index.ts';
import { crowd, held, now, succeed } from './work.fixture.ts';

const waits = (granted: () => void): Waiting => ({ granted });

describe('bulkhead', () => {
  it('lets `max` run and `queue` wait, and refuses the rest at once', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock }).bulkhead({ max: 2, queue: 3 });
    const { outcomes } = crowd(billing, 5);
    const sixth = await now(clock, billing.outcome(succeed));
    expect(sixth).toMatchObject({ status: 'rejected', code: 'bulkhead_full' });
    expect(sixth).toMatchObject({
      error: { message: 'bulkhead "billing" is full: 2 running, 3 waiting', pipeline: 'billing' },
    });
    expect(outcomes).toHaveLength(5);
  });

  it('has no queue unless it is asked for', async () => {
    const billing = pipeline('billing').bulkhead({ max: 1 });
    void billing.outcome(held().work);
    expect(await billing.outcome(succeed)).toMatchObject({ code: 'bulkhead_full' });
  });

  it('ends a wait at its time-out, and counts the time in the queue for nothing else', async () => {
    const clock = new VirtualClock();
    const billing = pipeline({ name: 'billing', clock })
      .bulkhead({ max: 1, queue: 2, queueTimeout: '200ms' })
      .timeout('1s');
    const first = crowd(billing, 1);
    const waiting = crowd(billing, 2);
    await clock.advance(100);
    first.calls[0]!.resolve();
    await clock.advance(100);
    expect(await waiting.outcomes[1]).toMatchObject({
      code: 'queue_timeout',
      error: { timeoutMs: 200, message: 'bulkhead "billing" had no place within 200 ms' },
    });
    // The other one began after 100 ms, and has a whole second from then.
    await clock.advance(899);
    expect(await now(clock, waiting.outcomes[0]!)).toBeUndefined();
    await clock.advance(1);
    expect(await waiting.outcomes[0]).toMatchObject({ error: { code: 'timeout' } });
    expect(billing.counts().rejections).toMatchObject({ queue_timeout: 1, bulkhead_full: 0 });
  });

  it('grants in the order of arrival, whoever leaves, never more than `max`, and loses no permit', () => {
    const random = seeded(5);
    const bulkhead = new Bulkhead({ max: 3, queue: 20 }, new VirtualClock());
    let arrivals = 0;
    let running = 0;
    const queue: { id: number; leave: () => void }[] = [];
    const granted: number[] = [];
    const expected: number[] = [];
    for (let step = 0; step < 5_000; step++) {
      const dice = random();
      if (dice < 0.5) {
        const id = arrivals++;
        if (bulkhead.tryAcquire()) {
          expect(queue).toHaveLength(0);
          running++;
        } else {
          const entry = bulkhead.enqueue(waits(() => granted.push(id)));
          if (entry === null) expect(queue).toHaveLength(20);
          else queue.push({ id, leave: () => entry.leave() });
        }
      } else if (dice < 0.6 && queue.length > 0) {
        const [left] = queue.splice(Math.floor(random() * queue.length), 1);
        left!.leave();
      } else if (running > 0) {
        if (queue.length > 0) expected.push(queue.shift()!.id);
        else running--;
        bulkhead.release();
      }
      expect(bulkhead).toMatchObject({ running, queued: queue.length });
      expect(running).toBeLessThanOrEqual(3);
    }
    expect(granted).toEqual(expected);
    expect(granted.length).toBeGreaterThan(500);
  });

  it('grants at once when it grows, and takes no permit back when it shrinks', () => {
    const bulkhead = new Bulkhead({ max: 2, queue: 9 }, new VirtualClock());
    const granted: number[] = [];
    for (let i = 0; i < 2; i++) bulkhead.tryAcquire();
    for (let i = 0; i < 5; i++) bulkhead.enqueue(waits(() => granted.push(i)));
    bulkhead.resize(4);
    expect(granted).toEqual([0, 1]);
    bulkhead.resize(1);
    expect(bulkhead.running).toBe(4);
    for (let i = 0; i < 3; i++) bulkhead.release();
    expect(granted).toEqual([0, 1]);
    bulkhead.release();
    expect(granted).toEqual([0, 1, 2]);
  });
});
