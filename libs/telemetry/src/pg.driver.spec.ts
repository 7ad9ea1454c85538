import { afterEach, describe, expect, it } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { tracePg } from './pg.driver.ts';
import { testTelemetry } from './telemetry.fixture.ts';
import { trace } from '@opentelemetry/api';

// The driver's interface without a database; the real one is in drivers.int.spec.ts.
type Callback = (error: unknown, result: unknown) => void;
const DUPLICATE = Object.assign(new Error('duplicate key: (email)=(eve@example.org)'), { code: '23505' });

function fakePg() {
  class Client {
    readonly database = 'orders';
    readonly host = 'db';
    readonly port = 5433;
    answer = Promise.resolve<unknown>({ rows: [1] });
    query(...args: unknown[]): unknown {
      const last = args.at(-1);
      if (typeof last !== 'function') return this.answer;
      this.answer.then(
        (result) => (last as Callback)(null, result),
        (error) => (last as Callback)(error, undefined),
      );
      return undefined;
    }
  }
  class Pool {
    options = { max: 7, host: 'db', port: 5433, database: 'orders' };
    totalCount = 3;
    idleCount = 1;
    waitingCount = 2;
    ended = false;
    connect(callback?: (error: unknown, client: Client) => void): void {
      callback?.(null, new Client());
    }
  }
  return { Client, Pool };
}

let test: ReturnType<typeof testTelemetry>;
function start(share = 1) {
  test = testTelemetry({}, { share });
  const pg = fakePg();
  const { meter } = test.telemetry;
  tracePg(pg, { tracer: trace.getTracer('test'), meter });
  return pg;
}

afterEach(() => test.telemetry.shutdown());

const SQL = `
  SELECT *
  FROM orders WHERE email = $1`;
const VALUE = 'eve@example.org';

describe('a query', () => {
  it('has a span in a sampled trace, with its statement and never with its values', async () => {
    const client = new (start().Client)();
    const result = await test.telemetry.inSpan('outer', {}, async () => client.query(SQL, [VALUE]));
    expect(result).toEqual({ rows: [1] });
    const span = test.span('SELECT orders');
    expect(span.parentSpanContext!.spanId).toBe(test.span('outer').spanContext().spanId);
    expect(span.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.namespace': 'orders',
      'db.operation.name': 'SELECT',
      'db.query.text': 'SELECT * FROM orders WHERE email = $1',
      'server.address': 'db',
      'server.port': 5433,
    });
  });

  it('that fails says so by its SQLSTATE: the message may quote a value', async () => {
    const client = new (start().Client)();
    client.answer = Promise.reject(DUPLICATE);
    const work = test.telemetry.inSpan('outer', {}, async () => {
      await Promise.resolve(client.query('INSERT INTO orders VALUES ($1)', [VALUE])).catch(() => undefined);
    });
    await work;
    const span = test.span('INSERT orders');
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span.attributes['error.type']).toBe('23505');
    expect(JSON.stringify([span.attributes, span.events])).not.toContain('eve@');
    expect((await test.metrics('db_client_operation_duration_seconds_count'))[0]).toContain(
      'error_type="23505"',
    );
  });

  it('outside of a sampled trace is measured and has no span', async () => {
    const client = new (start(0).Client)();
    await test.telemetry.inSpan('outer', {}, async () => client.query({ text: SQL, values: [VALUE] }));
    await client.query(SQL, [VALUE]);
    expect(test.spans()).toEqual([]);
    expect(await test.metrics('db_client_operation_duration_seconds_count')).toEqual([
      'db_client_operation_duration_seconds_count{db_system_name="postgresql",db_namespace="orders",db_operation_name="SELECT"} 2',
    ]);
  });

  it('gives the very promise of the driver, and calls a callback with what the driver gives', async () => {
    const client = new (start().Client)();
    expect(client.query(SQL)).toBe(client.answer);
    const given = await new Promise((resolve) => client.query(SQL, [], (...all: unknown[]) => resolve(all)));
    expect(given).toEqual([null, { rows: [1] }]);
  });

  it('leaves a cursor alone', async () => {
    const client = new (start().Client)();
    const cursor = { text: 'SELECT 1', submit: () => {} };
    await test.telemetry.inSpan('outer', {}, async () => client.query(cursor));
    expect(test.spans().map(({ name }) => name)).toEqual(['outer']);
  });

  it('has a statement of bounded length', async () => {
    const client = new (start().Client)();
    await test.telemetry.inSpan('outer', {}, async () => client.query(`SELECT ${'1,'.repeat(5000)}1`));
    expect(String(test.span('SELECT orders').attributes['db.query.text']).length).toBeLessThanOrEqual(1000);
  });

  it('is traced once, however often the driver is patched', async () => {
    const pg = start();
    tracePg(pg, { tracer: trace.getTracer('again'), meter: test.telemetry.meter });
    const client = new pg.Client();
    await test.telemetry.inSpan('outer', {}, async () => client.query(SQL));
    expect(test.spans()).toHaveLength(2);
  });
});

describe('a pool', () => {
  it('is reported once it is used, until it has ended', async () => {
    const pool = new (start().Pool)();
    expect(await test.metrics('db_client_connection_')).toEqual([]);
    pool.connect();
    const name = 'db_client_connection_pool_name="db:5433/orders"';
    expect(await test.metrics('db_client_connection_')).toEqual([
      `db_client_connection_count{${name},db_client_connection_state="used"} 2`,
      `db_client_connection_count{${name},db_client_connection_state="idle"} 1`,
      `db_client_connection_pending_requests{${name}} 2`,
      `db_client_connection_max{${name}} 7`,
    ]);
  });

  it('calls back in the trace of whoever asked, and not of whoever gave the connection back', async () => {
    const { Pool, Client } = fakePg();
    let release = (_?: unknown): void => {};
    Pool.prototype.connect = function (callback) {
      release = () => callback?.(null, new Client());
    };
    test = testTelemetry();
    const { meter, inSpan, traceparent } = test.telemetry;
    tracePg({ Pool, Client }, { tracer: trace.getTracer('test'), meter });
    const pool = new Pool();
    let [asked, called]: (string | undefined)[] = [];
    await inSpan('asks', {}, async () => {
      asked = traceparent();
      pool.connect(() => (called = traceparent()));
    });
    await inSpan('gives back', {}, async () => release());
    expect(called).toBe(asked);
  });
});
