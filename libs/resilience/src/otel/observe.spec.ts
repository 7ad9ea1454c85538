import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { consecutive, pipeline } from '../index.ts';
import { VirtualClock } from '../testing/index.ts';
import { observe } from './index.ts';

// Real: the SDK of OpenTelemetry, its reader and an exporter into memory. Delta: each export holds what moved since.
let exporter: InMemoryMetricExporter;
let reader: PeriodicExportingMetricReader;
let provider: MeterProvider;

beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  provider = new MeterProvider({ readers: [reader] });
});

afterEach(() => provider.shutdown());

/** One export: every point that is not 0, as `name{attributes}`: value, and units by name. */
async function exported() {
  exporter.reset();
  await reader.forceFlush();
  const points: Record<string, number> = {};
  const units: Record<string, string> = {};
  let total = 0;
  for (const { descriptor, dataPoints } of exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics)) {
    units[descriptor.name] = descriptor.unit;
    for (const { value, attributes } of dataPoints) {
      total++;
      const labels = Object.entries(attributes).map(([key, label]) => `${key}=${String(label)}`);
      if (value !== 0) points[`${descriptor.name}{${labels.join()}}`] = value as number;
    }
  }
  return { points, units, total };
}

const billingWith = (clock: VirtualClock) =>
  pipeline({ name: 'billing', clock, random: () => 0.5 })
    .fallback(() => 'fallback')
    .retry({ attempts: 2, idempotent: true })
    .breaker({ window: consecutive(4), openFor: '30s' })
    .bulkhead({ max: 1, queue: 1 })
    .timeout('1s');

const fails = () => Promise.reject(new Error('down'));
const hangs = () => new Promise<never>(() => {});

describe('observe', () => {
  it('reports what moved, and the state of the circuit', async () => {
    const clock = new VirtualClock();
    const billing = billingWith(clock);
    const stop = observe([billing], { meter: provider.getMeter('test') });

    await billing.execute(() => 'ok');
    const failing = billing.execute(fails);
    await clock.advance(100);
    await failing;
    const first = await exported();
    expect(first.points).toEqual({
      'resilience.calls{pipeline=billing,status=ok}': 1,
      'resilience.calls{pipeline=billing,status=failed}': 1,
      'resilience.attempts{pipeline=billing}': 3,
      'resilience.retries{pipeline=billing}': 1,
      'resilience.fallbacks{pipeline=billing}': 1,
      'resilience.circuit.state{pipeline=billing,state=closed}': 1,
    });
    expect(first.units).toMatchObject({
      'resilience.calls': '{call}',
      'resilience.attempts': '{attempt}',
      'resilience.attempts.abandoned': '{attempt}',
      'resilience.circuit.state': '{circuit}',
    });

    const hanging = billing.execute(hangs);
    const waiting = billing.execute(() => 'never begun');
    const refused = billing.execute(() => 'refused');
    await clock.settle();
    expect((await exported()).points).toMatchObject({
      'resilience.attempts.running{pipeline=billing}': 1,
      'resilience.attempts.queued{pipeline=billing}': 1,
      'resilience.rejections{pipeline=billing,reason=bulkhead_full}': 1,
      'resilience.calls{pipeline=billing,status=rejected}': 1,
    });
    await clock.advance(1_000);
    expect((await exported()).points).toMatchObject({
      'resilience.timeouts{pipeline=billing}': 1,
      'resilience.attempts.abandoned{pipeline=billing}': 1,
    });
    billing.circuit.isolate();
    await billing.execute(() => 'refused');
    expect((await exported()).points).toMatchObject({
      'resilience.circuit.state{pipeline=billing,state=isolated}': 1,
      'resilience.circuit.state{pipeline=billing,state=closed}': -1,
      'resilience.rejections{pipeline=billing,reason=circuit_open}': 1,
    });
    stop();
    void [hanging, waiting, refused];
  });

  it('reports nothing any more after it was ended', async () => {
    const billing = billingWith(new VirtualClock());
    const stop = observe([billing], { meter: provider.getMeter('test') });
    await billing.execute(() => 'ok');
    expect((await exported()).total).toBeGreaterThan(10);
    stop();
    await billing.execute(() => 'ok');
    expect(await exported()).toMatchObject({ total: 0, points: {} });
    // The other way round: a second observation reports the call that nobody saw.
    observe([billing], { meter: provider.getMeter('test') });
    expect((await exported()).points).toMatchObject({ 'resilience.calls{pipeline=billing,status=ok}': 1 });
  });

  it('keeps pipelines apart, and says nothing of a circuit that there is not', async () => {
    const mail = pipeline('mail').timeout('1s');
    observe(new Set([mail, billingWith(new VirtualClock())]), { meter: provider.getMeter('test') });
    await mail.execute(() => 'sent');
    const { points } = await exported();
    expect(points).toEqual({
      'resilience.calls{pipeline=mail,status=ok}': 1,
      'resilience.attempts{pipeline=mail}': 1,
      'resilience.circuit.state{pipeline=billing,state=closed}': 1,
    });
    expect(() => observe([mail, pipeline('mail')])).toThrow(
      new RangeError('pipelines must have different names, got "mail" twice'),
    );
  });

  it('takes a meter of the global provider when it is given none', async () => {
    metrics.setGlobalMeterProvider(provider);
    const stop = observe([billingWith(new VirtualClock())]);
    expect((await exported()).total).toBeGreaterThan(10);
    stop();
    metrics.disable();
  });

  it('reads nothing until metrics are collected', async () => {
    const billing = billingWith(new VirtualClock());
    let reads = 0;
    const watched = {
      name: 'billing',
      counts: () => (reads++, billing.counts()),
      get circuit() {
        return billing.circuit;
      },
    };
    observe([watched], { meter: provider.getMeter('test') });
    for (let i = 0; i < 100; i++) await billing.execute(() => i);
    expect(reads).toBe(0);
    await exported();
    expect(reads).toBe(1);
  });
});
