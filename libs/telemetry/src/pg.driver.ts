import {
  SpanKind,
  type Attributes,
  type Histogram,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { AsyncResource } from 'node:async_hooks';
import { sampledSpan } from './spans.ts';

/** What is read of the `pg` package. */
export type PgModule = { Client: { prototype: object }; Pool?: { prototype: object } };

type Client = { database?: string; host?: string; port?: number };
type Pool = {
  options: { max?: number; host?: string; port?: number; database?: string };
  totalCount: number;
  idleCount: number;
  waitingCount: number;
  ended: boolean;
};
type Callback = (error: unknown, result: unknown) => void;
type Query = (this: Client, ...args: unknown[]) => unknown;
type Connect = (this: Pool, callback?: (...args: unknown[]) => void) => unknown;

const PATCHED = Symbol.for('@cairn/telemetry patched');
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const MAX_TEXT = 1000;

/**
 * Measures every query of `pg`, makes a span of those below a span that is sampled, and reports its pools. Values of
 * parameters are never looked at, and of an error only its SQLSTATE is kept, since its message may quote a value.
 *
 * The stock instrumentation prepares attributes, a span and a bound callback for every query, sampled or not; here a query
 * outside of a sampled trace costs two looks at the clock and one sample.
 */
export function tracePg(pg: PgModule, { tracer, meter }: { tracer: Tracer; meter: Meter }): void {
  const duration = meter.createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of database client operations',
    advice: { explicitBucketBoundaries: BUCKETS },
  });
  patch<Query>(pg.Client.prototype, 'query', (original) => tracedQuery(original, tracer, duration));
  if (!pg.Pool) return;
  const pools = new Set<Pool>();
  patch<Connect>(pg.Pool.prototype, 'connect', (original) => {
    return function connect(callback) {
      pools.add(this);
      // It is called from wherever a connection became free, which may be somebody else's request.
      return original.call(this, callback && sampledSpan() ? AsyncResource.bind(callback) : callback);
    };
  });
  observePools(meter, pools);
}

function patch<F extends (...args: never[]) => unknown>(
  target: object,
  name: string,
  wrap: (original: F) => F,
) {
  const methods = target as Record<string, F & { [PATCHED]?: true }>;
  const original = methods[name]!;
  if (original[PATCHED]) return;
  methods[name] = Object.assign(wrap(original), { [PATCHED]: true } as const);
}

function tracedQuery(original: Query, tracer: Tracer, duration: Histogram): Query {
  return function query(...args) {
    const text = textOf(args[0]);
    // A cursor or a stream: it ends when its reader says so, not with a promise.
    if (text === undefined) return original.apply(this, args);
    const began = performance.now();
    const operation = operationOf(text);
    const span = sampledSpan() && startSpan(tracer, this, operation, text);
    const at: Begun = { client: this, duration, began, operation, ...(span && { span }) };
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      args[args.length - 1] = ((error, result) => {
        end(at, error);
        (callback as Callback)(error, result);
      }) satisfies Callback;
      return original.apply(this, args);
    }
    const result = original.apply(this, args) as Promise<unknown>;
    // The caller gets the promise that pg made: one more in between would cost him turns of the microtask queue.
    result.then(
      () => end(at),
      (error) => end(at, error),
    );
    return result;
  };
}

type Begun = { client: Client; duration: Histogram; began: number; operation: string; span?: Span };

function end({ client, duration, began, operation, span }: Begun, error?: unknown): void {
  const attributes: Attributes = {
    'db.system.name': 'postgresql',
    'db.namespace': client.database ?? '',
    'db.operation.name': operation,
  };
  if (error) attributes['error.type'] = sqlState(error);
  duration.record((performance.now() - began) / 1000, attributes);
  if (span) endSpan(span, error);
}

function textOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query;
  const { text, submit } = (query ?? {}) as { text?: unknown; submit?: unknown };
  return typeof text === 'string' && typeof submit !== 'function' ? text : undefined;
}

const OPERATIONS = new Map<string, string>();

/** The first word of the statement, remembered: a program has few statements, and each is sent many times. */
function operationOf(text: string): string {
  const known = OPERATIONS.get(text);
  if (known) return known;
  const operation = /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'QUERY';
  if (OPERATIONS.size < 500) OPERATIONS.set(text, operation);
  return operation;
}

function startSpan(tracer: Tracer, client: Client, operation: string, text: string): Span {
  return tracer.startSpan(`${operation} ${client.database ?? ''}`.trim(), {
    kind: SpanKind.CLIENT,
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': client.database ?? '',
      'db.operation.name': operation,
      'db.query.text': text.slice(0, MAX_TEXT).replace(/\s+/g, ' ').trim(),
      'server.address': client.host ?? '',
      'server.port': client.port ?? 5432,
    },
  });
}

function endSpan(span: Span, error: unknown): void {
  if (error) {
    span.setAttribute('error.type', sqlState(error));
    span.setStatus({ code: 2 });
  }
  span.end();
}

function sqlState(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'Error';
}

/** https://opentelemetry.io/docs/specs/semconv/database/database-metrics/#connection-pools */
function observePools(meter: Meter, pools: Set<Pool>): void {
  const make = (name: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(`db.client.connection.${name}`, { unit, description });
  const count = make('count', '{connection}', 'Connections of a pool, by state');
  const pending = make('pending_requests', '{request}', 'Requests that wait for a connection of a pool');
  const max = make('max', '{connection}', 'Most connections that a pool may open');
  meter.addBatchObservableCallback(
    (result) => {
      for (const pool of pools) {
        if (pool.ended) pools.delete(pool);
        const { host = 'localhost', port = 5432, database = '' } = pool.options;
        const name = { 'db.client.connection.pool.name': `${host}:${port}/${database}` };
        const state = (is: string) => ({ ...name, 'db.client.connection.state': is });
        result.observe(count, pool.totalCount - pool.idleCount, state('used'));
        result.observe(count, pool.idleCount, state('idle'));
        result.observe(pending, pool.waitingCount, name);
        result.observe(max, pool.options.max ?? 10, name);
      }
    },
    [count, pending, max],
  );
}
