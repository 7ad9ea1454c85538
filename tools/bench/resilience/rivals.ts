import {
  bulkhead,
  circuitBreaker,
  CountBreaker,
  fallback,
  handleAll,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  wrap,
  type IBreaker,
  type IPolicy,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import { failures, fails, flight, one, rejections, sequence, type Contestant, type Fields } from './loops.ts';

/**
 * The others, configured for speed where they allow it:
 *
 * - cockatiel: `abortOnReturn: false`, or each success would abort its signal with a new `DOMException`; no listeners,
 *   so it takes no times and there is no telemetry; a count window wherever no other is asked for; policies joined by
 *   its own `wrap`.
 *   "default" is with `abortOnReturn` as it comes.
 * - opossum: no snapshots (a timer and a sum per interval) and no percentiles (a sort per failure); the function is
 *   given to the breaker once, not per call. "default" is with both on. It is one breaker with a time window and a
 *   counter for everything: it cannot retry, time slow calls or take a caller's signal, has no window of calls, and
 *   its parts cannot be used alone.
 *
 * Both capture a stack for each error of their own, and have no option against it. Where one has no equivalent at all
 * it does not take part.
 */
export const rivals: Fields = {
  full: {
    cockatiel: () => executed(everything(false)),
    'cockatiel default': () => executed(everything(true)),
    opossum: () => fired(new CircuitBreaker(one(), { ...lean, timeout: 1000, capacity: 100 })),
  },
  count: { cockatiel: () => executed(breaker(byCount())) },
  time: {
    cockatiel: () => executed(breaker(new SamplingBreaker({ threshold: 0.5, duration: 10_000 }))),
    opossum: () => fired(new CircuitBreaker(one(), { ...lean, timeout: false })),
  },
  timeout: {
    cockatiel: () => executed(aggressive(1000, false)),
    'cockatiel default': () => executed(aggressive(1000, true)),
    opossum: () => fired(new CircuitBreaker(one(), { ...lean, timeout: 1000 })),
  },
  rejection: {
    cockatiel: async () => ({ batch: rejections('target.execute(fn)', await openedBreaker()) }),
    opossum: () => ({ batch: rejections('target.fire()', openedCircuit()) }),
  },
  fallback: {
    cockatiel: async () =>
      executed(
        wrap(
          fallback(handleAll, () => 1),
          await openedBreaker(),
        ),
      ),
    opossum: () => fired(openedCircuit().fallback(() => 1)),
  },
  outcome: {},
  flight: {
    cockatiel: () => flight('target.execute(fn, signal)', aggressive(10_000, false)),
    'cockatiel default': () => flight('target.execute(fn, signal)', aggressive(10_000, true)),
  },
  failure: {
    cockatiel: async () => {
      const window = new SamplingBreaker({ threshold: 0.99, duration: 600_000 });
      const target = breaker(window);
      await fill((fn) => target.execute(fn));
      return { calls: 500, batch: failures('target.execute(fn)', [target]) };
    },
    opossum: () => failingCircuit(500, lean),
    'opossum default': () => failingCircuit(5, {}),
  },
};

const executed = (target: unknown): Contestant => ({ batch: sequence('await target.execute(fn)', target) });
const fired = (target: CircuitBreaker<[], number>): Contestant => ({
  batch: sequence('await target.fire()', target),
});

const byCount = () => new CountBreaker({ threshold: 0.5, size: 100 });
const breaker = (window: IBreaker) =>
  circuitBreaker(handleAll, { halfOpenAfter: 3_600_000, breaker: window });
const aggressive = (durationMs: number, abortOnReturn: boolean) =>
  timeout(durationMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn });
const everything = (abortOnReturn: boolean): IPolicy =>
  wrap(
    retry(handleAll, { maxAttempts: 2 }),
    breaker(byCount()),
    bulkhead(100, 100),
    aggressive(1000, abortOnReturn),
  );

async function openedBreaker() {
  const target = breaker(byCount());
  const fn = fails();
  for (let i = 0; i < 200; i++) await target.execute(fn).catch(() => {});
  return target;
}

const lean = { rollingPercentilesEnabled: false, enableSnapshots: false };

function openedCircuit(): CircuitBreaker<[], number> {
  const circuit = new CircuitBreaker(one(), { ...lean, timeout: false, resetTimeout: 3_600_000 });
  circuit.open();
  return circuit;
}

async function failingCircuit(calls: number, options: CircuitBreaker.Options): Promise<Contestant> {
  const circuit = new CircuitBreaker((fn: () => Promise<number>) => fn(), {
    ...options,
    timeout: false,
    rollingCountTimeout: 600_000,
    errorThresholdPercentage: 100, // it opens above that, so never
  });
  await fill((fn) => circuit.fire(fn));
  return { calls, batch: failures('target.fire(fn)', [circuit]) };
}

async function fill(call: (fn: () => Promise<number>) => Promise<unknown>): Promise<void> {
  const fn = one();
  for (let i = 0; i < 100_000; i++) await call(fn);
}
