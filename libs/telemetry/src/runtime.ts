import type { Meter } from '@opentelemetry/api';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const PER_SECOND = 1e9;

/**
 * The event loop and the memory of the process, by names of the semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics/). Values of the loop are of the time since they
 * were last collected. As Node measures it, a loop that is idle has a delay of about the resolution, 10 ms.
 */
export function observeRuntime(meter: Meter): () => void {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });
  const delay = {
    mean: gauge('nodejs.eventloop.delay.mean', 's', 'Event loop mean delay'),
    max: gauge('nodejs.eventloop.delay.max', 's', 'Event loop maximum delay'),
    p50: gauge('nodejs.eventloop.delay.p50', 's', 'Event loop 50 percentile delay'),
    p90: gauge('nodejs.eventloop.delay.p90', 's', 'Event loop 90 percentile delay'),
    p99: gauge('nodejs.eventloop.delay.p99', 's', 'Event loop 99 percentile delay'),
  };
  const utilization = gauge('nodejs.eventloop.utilization', '1', 'Event loop utilization');
  const heap = gauge('v8js.memory.heap.used', 'By', 'Heap memory in use');
  const memory = gauge('process.memory.usage', 'By', 'Physical memory in use');
  let before = performance.eventLoopUtilization();
  meter.addBatchObservableCallback(
    (result) => {
      const now = performance.eventLoopUtilization();
      result.observe(utilization, performance.eventLoopUtilization(now, before).utilization);
      before = now;
      const { heapUsed, rss } = process.memoryUsage();
      result.observe(heap, heapUsed);
      result.observe(memory, rss);
      if (delays.count === 0) return;
      result.observe(delay.mean, delays.mean / PER_SECOND);
      result.observe(delay.max, delays.max / PER_SECOND);
      for (const p of [50, 90, 99] as const)
        result.observe(delay[`p${p}`], delays.percentile(p) / PER_SECOND);
      delays.reset();
    },
    [...Object.values(delay), utilization, heap, memory],
  );
  return () => delays.disable();
}
