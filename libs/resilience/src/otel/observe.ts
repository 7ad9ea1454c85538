import { metrics, type BatchObservableResult, type Meter } from '@opentelemetry/api';
import type { BreakerState } from '../breaker.ts';
import { checkNames } from '../names.ts';
import type { Pipeline } from '../pipeline.ts';
import { instrumentsOf, type Instruments } from './instruments.ts';

/** What is read of a pipeline. */
export type ObservedPipeline = Pick<Pipeline, 'name' | 'counts' | 'circuit'>;

export type ObserveOptions = {
  /** Makes the instruments. Default: a meter of the global MeterProvider, which has to be set before. */
  meter?: Meter;
};

const STATES: readonly BreakerState[] = ['closed', 'half_open', 'open', 'isolated'];

/**
 * Reports what pipelines count, and the states of their circuits, as OpenTelemetry metrics. They are read when metrics
 * are collected, and at no other time: it costs nothing per call.
 *
 * @returns ends it. A reader with cumulative temporality then repeats the last values, as the SDK does for any instrument that
 *   falls silent
 * @throws RangeError when two of them have the same name, since their metrics would be one and the same
 */
export function observe(
  pipelines: Iterable<ObservedPipeline>,
  { meter = metrics.getMeter('@cairn/resilience') }: ObserveOptions = {},
): () => void {
  const observed = [...pipelines];
  checkNames(observed);
  const instruments = instrumentsOf(meter);
  const withCircuit = observed.filter(hasCircuit);
  const read = (result: BatchObservableResult): void => {
    for (const pipeline of observed) report(pipeline, instruments, result);
    for (const { name, circuit } of withCircuit) {
      for (const state of STATES) {
        const is = circuit.state === state ? 1 : 0;
        result.observe(instruments.circuitState, is, { pipeline: name, state });
      }
    }
  };
  const all = Object.values(instruments);
  meter.addBatchObservableCallback(read, all);
  return () => meter.removeBatchObservableCallback(read, all);
}

function report(pipeline: ObservedPipeline, to: Instruments, result: BatchObservableResult): void {
  const attributes = { pipeline: pipeline.name };
  const { rejections, retriesDenied, ...counts } = pipeline.counts();
  for (const status of ['ok', 'failed', 'ignored', 'cancelled', 'rejected'] as const) {
    result.observe(to.calls, counts[status], { ...attributes, status });
  }
  for (const [reason, value] of Object.entries(rejections)) {
    result.observe(to.rejections, value, { ...attributes, reason });
  }
  for (const [reason, value] of Object.entries(retriesDenied)) {
    result.observe(to.retriesDenied, value, { ...attributes, reason });
  }
  for (const name of [
    ...(['attempts', 'retries', 'timeouts', 'deadlines', 'hedges', 'fallbacks', 'listenerErrors'] as const),
    ...(['running', 'queued', 'abandoned'] as const),
  ]) {
    result.observe(to[name], counts[name], attributes);
  }
}

function hasCircuit(pipeline: ObservedPipeline): boolean {
  try {
    return pipeline.circuit !== undefined;
  } catch {
    // That is how a pipeline without a breaker answers.
    return false;
  }
}
