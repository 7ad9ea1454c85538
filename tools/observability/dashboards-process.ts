import type { Dashboard } from './panels.ts';
import { OF, quantile, rate } from './queries.ts';

/** What a process has of time, memory and connections. */
export const runtime: Dashboard = {
  uid: 'runtime',
  title: 'Runtime and pools',
  description: 'Event loops, memory, and connections to PostgreSQL.',
  panels: [
    {
      title: 'Event loop delay, 99th percentile',
      says: 'About 10 ms is idle, as Node measures it (alert EventLoopBlocked).',
      unit: 's',
      badFrom: 0.1,
      lines: [{ expr: `nodejs_eventloop_delay_p99_seconds${OF}`, legend: '{{service}} {{instance}}' }],
    },
    {
      title: 'Event loop in use',
      says: 'At 100 % the process has no time left: add replicas.',
      unit: 'percentunit',
      lines: [{ expr: `nodejs_eventloop_utilization_ratio${OF}`, legend: '{{service}} {{instance}}' }],
    },
    {
      title: 'Memory of the process',
      says: 'Resident. A container may have 256 MB.',
      unit: 'bytes',
      lines: [{ expr: `process_memory_usage_bytes${OF}`, legend: '{{service}} {{instance}}' }],
    },
    {
      title: 'Heap in use',
      says: 'A line that only rises from one collection to the next is a leak.',
      unit: 'bytes',
      lines: [{ expr: `v8js_memory_heap_used_bytes${OF}`, legend: '{{service}} {{instance}}' }],
    },
    {
      title: 'Connections to PostgreSQL',
      says: 'Used and idle, against the most that the pool may open.',
      unit: 'short',
      lines: [
        {
          expr: `sum by (service, db_client_connection_state) (db_client_connection_count${OF})`,
          legend: '{{service}} {{db_client_connection_state}}',
        },
        { expr: `sum by (service) (db_client_connection_max${OF})`, legend: '{{service}} at most' },
      ],
    },
    {
      title: 'Queries that wait for a connection',
      says: 'More than none for long: the pool is exhausted (alert PoolExhausted).',
      unit: 'short',
      badFrom: 1,
      lines: [
        { expr: `sum by (service) (db_client_connection_pending_requests${OF})`, legend: '{{service}}' },
      ],
    },
    {
      title: 'Queries, 99th percentile',
      says: 'By their first word.',
      unit: 's',
      lines: [
        {
          expr: quantile(0.99, 'db_client_operation_duration_seconds', 'service, db_operation_name'),
          legend: '{{service}} {{db_operation_name}}',
        },
      ],
    },
    {
      title: 'Spans that were dropped',
      says: 'The endpoint takes none, or the queue was full. Traces have holes then.',
      unit: 'short',
      lines: [
        {
          expr: rate(
            'otel_sdk_processor_span_processed_total',
            'service, error_type',
            '{service=~"$service", error_type!=""}',
          ),
          legend: '{{service}} {{error_type}}',
        },
      ],
    },
    {
      title: 'Processes that answer',
      says: 'On their metrics port (alert TargetDown).',
      unit: 'short',
      kind: 'stat',
      lines: [{ expr: `sum by (service) (up${OF})`, legend: '{{service}}' }],
    },
  ],
};

/** What the pipelines around calls to others do. */
export const resilience: Dashboard = {
  uid: 'resilience',
  title: 'Resilience',
  description: 'What the pipelines around calls to others let through, and what they did not.',
  panels: [
    {
      title: 'Circuits that are not closed',
      says: '1 while it is open, half-open or isolated (alert CircuitOpen).',
      unit: 'short',
      badFrom: 1,
      lines: [
        {
          expr: 'max by (service, pipeline, state) (resilience_circuit_state{service=~"$service", state!="closed"})',
          legend: '{{service}} {{pipeline}} {{state}}',
        },
      ],
    },
    {
      title: 'Calls by how they ended',
      says: 'Before their fallback.',
      unit: 'short',
      lines: [
        {
          expr: rate('resilience_calls_total', 'service, pipeline, status'),
          legend: '{{service}} {{pipeline}} {{status}}',
        },
      ],
    },
    {
      title: 'Retries',
      says: 'Made; and not made, by reason.',
      unit: 'short',
      lines: [
        { expr: rate('resilience_retries_total', 'service, pipeline'), legend: '{{service}} {{pipeline}}' },
        {
          expr: rate('resilience_retries_denied_total', 'service, pipeline, reason'),
          legend: '{{service}} {{pipeline}} not: {{reason}}',
        },
      ],
    },
    {
      title: 'Attempts that were not let through',
      says: 'By an open circuit, or because the bulkhead was full.',
      unit: 'short',
      lines: [
        {
          expr: rate('resilience_rejections_total', 'service, pipeline, reason'),
          legend: '{{service}} {{pipeline}} {{reason}}',
        },
      ],
    },
    {
      title: 'Timeouts and deadlines',
      says: 'Attempts that timed out, and calls that ran out of time.',
      unit: 'short',
      lines: [
        {
          expr: rate('resilience_timeouts_total', 'service, pipeline'),
          legend: '{{service}} {{pipeline}} timeouts',
        },
        {
          expr: rate('resilience_deadlines_total', 'service, pipeline'),
          legend: '{{service}} {{pipeline}} deadlines',
        },
      ],
    },
    {
      title: 'Attempts under way',
      says: 'Running, waiting for a place, and given up while their work still runs.',
      unit: 'short',
      lines: ['running', 'queued', 'abandoned'].map((state) => ({
        expr: `sum by (service, pipeline) (resilience_attempts_${state}${OF})`,
        legend: `{{service}} {{pipeline}} ${state}`,
      })),
    },
  ],
};
