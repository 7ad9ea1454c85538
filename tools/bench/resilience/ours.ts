import { count, pipeline, time, type Pipeline } from '@cairn/resilience';
import { observe } from '@cairn/resilience/otel';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { fails, failures, flight, one, rejections, sequence, type Contestant, type Fields } from './loops.ts';

/** Our library, in the build that is shipped. Options are what a guide would say; nothing is switched off. */
export const ours: Fields = {
  full: { ours: observed },
  count: { ours: () => executed(pipeline('count').breaker({ window: count(100) })) },
  time: {
    ours: () => executed(pipeline('time').breaker({ window: time('10s'), slowAfter: '1s', slowRate: 0.5 })),
  },
  timeout: { ours: () => executed(pipeline('timeout').timeout('1s')) },
  rejection: {
    ours: async () => ({
      batch: rejections('target.execute(fn)', await opened(pipeline('rejection').breaker(openable))),
    }),
  },
  fallback: {
    ours: async () =>
      executed(
        await opened(
          pipeline('fallback')
            .fallback(() => 1)
            .breaker(openable),
        ),
      ),
  },
  outcome: {
    ours: async () => ({
      batch: sequence(
        "(await target.outcome(fn)).status === 'rejected' ? 1 : 0",
        await opened(pipeline('outcome').breaker(openable)),
      ),
    }),
  },
  flight: { ours: () => flight('target.execute(fn, { signal })', pipeline('flight').timeout('10s')) },
  failure: { ours: () => failing(1, 100_000, 500), small: () => failing(10, 100, 500) },
};

const executed = (target: Pipeline): Contestant => ({ batch: sequence('await target.execute(fn)', target) });

/** With a meter provider and a reader at its usual interval, as an app has them. */
function observed(): Contestant {
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 60_000,
  });
  const meters = new MeterProvider({ readers: [reader] });
  const target = pipeline('full')
    .retry({ attempts: 3, idempotent: true })
    .breaker({ window: count(100) })
    .bulkhead({ max: 100, queue: 100 })
    .timeout('1s');
  const stop = observe([target], { meter: meters.getMeter('bench') });
  return {
    ...executed(target),
    async check() {
      const { resourceMetrics } = await reader.collect();
      const seen = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics).flatMap(dataPoints);
      if (!seen.some((value) => value > 1000)) {
        throw new Error('telemetry is on, but no metric has counted the calls');
      }
      stop();
      await meters.shutdown();
    },
  };
}

const dataPoints = ({ dataPoints }: MetricData): number[] =>
  dataPoints.map(({ value }) => (typeof value === 'number' ? value : (value.count ?? 0)));

const openable = { window: count(10), minCalls: 10, openFor: '1h' } as const;

/** By failures, as in life, not by `isolate()`. */
async function opened(target: Pipeline): Promise<Pipeline> {
  const fn = fails();
  for (let i = 0; i < 20; i++) await target.outcome(fn);
  if (target.circuit.state !== 'open')
    throw new Error(`20 failures left the breaker ${target.circuit.state}`);
  return target;
}

/** New pipelines for every batch, with so many calls in the window of each; it opens at no rate but 100 %. */
function failing(pipelines: number, inWindow: number, calls: number): Contestant {
  const targets: Pipeline[] = [];
  const fn = one();
  return {
    calls,
    batch: failures('target.execute(fn)', targets),
    async prepare() {
      if (targets.length > 0 && inWindow > calls) return; // the batches before are a few calls more: no matter
      targets.length = 0;
      for (let i = 0; i < pipelines; i++) {
        const target = pipeline('failure').breaker({ window: time('10m'), slowAfter: '1s', failureRate: 1 });
        for (let call = 0; call < inWindow; call++) await target.execute(fn);
        targets.push(target);
      }
    },
  };
}
