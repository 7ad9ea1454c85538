import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { testTelemetry } from './telemetry.fixture.ts';

let test: ReturnType<typeof testTelemetry>;
beforeEach(() => {
  test = testTelemetry();
});
afterEach(async () => {
  jest.useRealTimers();
  await test.telemetry.shutdown();
});

const about = { unit: '{order}', description: 'for a test' };

describe('a gauge', () => {
  it('is read when metrics are collected and at no other time', async () => {
    let reads = 0;
    test.telemetry.gauge('orders.open', { ...about, read: () => ++reads });
    expect(reads).toBe(0);
    expect(await test.metrics('orders_open')).toEqual(['orders_open 1']);
  });

  it('may have several samples', async () => {
    const read = async () => ['a', 'b'].map((shop, value) => ({ value, attributes: { shop } }));
    test.telemetry.gauge('orders.open', { ...about, read });
    expect(await test.metrics('orders_open')).toEqual(['orders_open{shop="a"} 0', 'orders_open{shop="b"} 1']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('away');
      },
    ],
    ['rejects', () => Promise.reject(new Error('away'))],
  ])('that %s is left out and counted, and the others are there', async (_, read) => {
    test.telemetry.gauge('orders.open', { ...about, read });
    test.telemetry.gauge('orders.paid', { ...about, read: () => 7 });
    expect(await test.metrics('orders_')).toEqual(['orders_paid 7']);
    expect(await test.metrics('telemetry_scrape_failures_total')).toEqual([
      'telemetry_scrape_failures_total{metric="orders.open"} 2',
    ]);
  });

  it('that hangs holds a scrape up for 1 s, and is not asked again before it has answered', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    let asked = 0;
    let answer = (_: number): void => {};
    const read = () => {
      asked++;
      return new Promise<number>((resolve) => (answer = resolve));
    };
    test.telemetry.gauge('orders.open', { ...about, read });
    let done = false;
    const scrape = () => test.metrics('orders_open').finally(() => (done = true));
    const until = async (is: () => boolean, stepMs: number) => {
      for (let waited = 0; !is(); waited += stepMs) {
        await new Promise((resolve) => setImmediate(resolve));
        await jest.advanceTimersByTimeAsync(stepMs);
        if (waited > 60_000) throw new Error('it never came');
      }
    };
    const first = scrape();
    await until(() => asked === 1, 0);
    await jest.advanceTimersByTimeAsync(998);
    expect(done).toBe(false);
    await until(() => done, 10);
    expect(await first).toEqual([]);
    done = false;
    const second = scrape();
    await until(() => done, 10);
    expect(await second).toEqual([]);
    expect(asked).toBe(1);
    answer(3);
    await jest.advanceTimersByTimeAsync(0);
    jest.useRealTimers();
    const third = scrape();
    while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
    answer(5);
    expect(await third).toEqual(['orders_open 5']);
  });

  it('needs a name that is well formed and not taken', () => {
    const { gauge, counter } = test.telemetry;
    const read = () => 1;
    expect(() => gauge('orders open', { ...about, read })).toThrow(/got "orders open"$/);
    expect(() => counter('7', about)).toThrow(/got "7"$/);
    gauge('orders.open', { ...about, read });
    expect(() => gauge('orders.open', { ...about, read })).toThrow('there is a gauge "orders.open" already');
  });
});

describe('a counter', () => {
  it('adds up, by attributes', async () => {
    const settled = test.telemetry.counter('orders.settled', about);
    settled.add(1, { state: 'paid' });
    settled.add(2, { state: 'paid' });
    settled.add(1, { state: 'cancelled' });
    expect(await test.metrics('orders_settled_total')).toEqual([
      'orders_settled_total{state="paid"} 3',
      'orders_settled_total{state="cancelled"} 1',
    ]);
  });
});

describe('the runtime', () => {
  it('reports the delay of the event loop, its use, and memory', async () => {
    await test.telemetry.shutdown();
    test = testTelemetry({ instrumentations: ['runtime'] });
    // Nothing of the loop is known before it has gone round.
    while ((await test.metrics('nodejs_eventloop_delay')).length === 0);
    const lines = [...(await test.metrics('nodejs_')), ...(await test.metrics('process_'))];
    const names = lines.map((line) => line.split(' ')[0]);
    expect(names).toEqual([
      'nodejs_eventloop_delay_mean_seconds',
      'nodejs_eventloop_delay_max_seconds',
      'nodejs_eventloop_delay_p50_seconds',
      'nodejs_eventloop_delay_p90_seconds',
      'nodejs_eventloop_delay_p99_seconds',
      'nodejs_eventloop_utilization_ratio',
      'process_memory_usage_bytes',
    ]);
    expect(lines.map((line) => Number(line.split(' ')[1])).every((value) => value >= 0)).toBe(true);
  });
});
