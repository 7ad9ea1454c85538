import { describe, expect, it } from '@jest/globals';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Meter } from '@opentelemetry/api';
import { prometheusText } from './prometheus.ts';

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

async function textOf(measure: (meter: Meter) => void): Promise<string[]> {
  const reader = new Reader();
  const resource = resourceFromAttributes({ 'service.name': 'orders', 'service.version': '1.2.3' });
  const provider = new MeterProvider({ resource, readers: [reader] });
  measure(provider.getMeter('test'));
  return prometheusText((await reader.collect()).resourceMetrics).split('\n');
}

const TARGET = [
  '# HELP target_info Target metadata',
  '# TYPE target_info gauge',
  'target_info{service_name="orders",service_version="1.2.3"} 1',
];

describe('the text for Prometheus', () => {
  it('says whose it is, and ends in a line feed', async () => {
    expect(await textOf(() => {})).toEqual([...TARGET, '']);
  });

  it('has a histogram as cumulative buckets, a sum and a count', async () => {
    const lines = await textOf((meter) => {
      const duration = meter.createHistogram('request.duration', {
        unit: 's',
        description: 'How long',
        advice: { explicitBucketBoundaries: [0.1, 1] },
      });
      for (const seconds of [0.05, 0.5, 0.5, 7]) duration.record(seconds, { 'http.route': '/a' });
    });
    expect(lines.slice(3)).toEqual([
      '# HELP request_duration_seconds How long',
      '# TYPE request_duration_seconds histogram',
      'request_duration_seconds_bucket{http_route="/a",le="0.1"} 1',
      'request_duration_seconds_bucket{http_route="/a",le="1"} 3',
      'request_duration_seconds_bucket{http_route="/a",le="+Inf"} 4',
      'request_duration_seconds_sum{http_route="/a"} 8.05',
      'request_duration_seconds_count{http_route="/a"} 4',
      '',
    ]);
  });

  it.each([
    ['what only rises', 'orders', '{order}', 'counter', 'orders_total 1'],
    ['what only rises and has a unit', 'sent', 'By', 'counter', 'sent_bytes_total 1'],
    ['what goes up and down', 'open', '{order}', 'gauge', 'open 1'],
    ['a share', 'loop.use', '1', 'gauge', 'loop_use_ratio 1'],
    ['a unit that the name has already', 'age_seconds', 's', 'gauge', 'age_seconds 1'],
    ['several signs in a row', 'a.-b', '{x}', 'gauge', 'a_b 1'],
  ])('names %s as Prometheus does', async (_, name, unit, type, line) => {
    const lines = await textOf((meter) => {
      const options = { unit, description: 'd' };
      if (type === 'counter') meter.createCounter(name, options).add(1);
      else meter.createGauge(name, options).record(1);
    });
    expect(lines.slice(4)).toEqual([`# TYPE ${line.split(' ')[0]} ${type}`, line, '']);
  });

  it('keeps to one line each, whatever a label or a description says', async () => {
    const lines = await textOf((meter) => {
      const gauge = meter.createGauge('odd', { unit: '', description: 'two\nlines\\' });
      gauge.record(Infinity, { '0name': 'a"b\nc\\', list: ['x'] });
      gauge.record(NaN);
    });
    expect(lines.slice(3)).toEqual([
      '# HELP odd two\\nlines\\\\',
      '# TYPE odd gauge',
      'odd{_0name="a\\"b\\nc\\\\",list="[\\"x\\"]"} +Inf',
      'odd NaN',
      '',
    ]);
  });
});
