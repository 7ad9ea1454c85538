import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { Redis } from 'ioredis';
import pg from 'pg';
import { tracePg } from './pg.driver.ts';
import { testTelemetry } from './telemetry.fixture.ts';

/** The real drivers on a real PostgreSQL and a real Redis. */
const test = testTelemetry({ instrumentations: ['ioredis'] });
const { inSpan, meter, traceparent } = test.telemetry;
let pool: pg.Pool;
let redis: Redis;

beforeAll(async () => {
  tracePg(pg, { tracer: trace.getTracer('test'), meter });
  pool = new pg.Pool({ connectionString: process.env['POSTGRES_URL'], max: 1 });
  redis = new Redis(process.env['REDIS_URL']!, { lazyConnect: true });
  await redis.connect();
});

afterAll(async () => {
  await Promise.all([pool.end(), redis.quit()]);
  await test.telemetry.shutdown();
});

describe('the drivers', () => {
  it('make spans below the one under way, in the order of the work, and lose no context', async () => {
    const [before, after] = await inSpan('work', {}, async () => {
      const at = traceparent();
      await pool.query('SELECT $1::text AS secret', ['4111111111111111']);
      await redis.set('telemetry-test', '4111111111111111');
      await redis.get('telemetry-test');
      return [at, traceparent()];
    });
    expect(after).toBe(before);
    const spans = test.spans();
    expect(spans.map(({ name }) => name.split(' ')[0])).toEqual(['SELECT', 'SET', 'GET', 'work']);
    const { spanId } = spans.at(-1)!.spanContext();
    expect(spans.slice(0, 3).map(({ parentSpanContext }) => parentSpanContext!.spanId)).toEqual([
      spanId,
      spanId,
      spanId,
    ]);
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('4111');
  });

  it('give each of two requests that share one connection its own queries', async () => {
    const ask = (n: number) =>
      inSpan(`asks ${n}`, {}, async () => (await pool.query(`SELECT ${n} AS n`)).rows[0] as { n: number });
    expect(await Promise.all([ask(1), ask(2)])).toEqual([{ n: 1 }, { n: 2 }]);
    const parents = [1, 2].map((n) => {
      const query = test.spans().find((span) => span.attributes['db.query.text'] === `SELECT ${n} AS n`)!;
      return query.parentSpanContext!.spanId === test.span(`asks ${n}`).spanContext().spanId;
    });
    expect(parents).toEqual([true, true]);
  });

  it('tell a failure by its SQLSTATE only', async () => {
    await inSpan('fails', {}, async () => {
      await expect(pool.query("SELECT 'secret-value'::int")).rejects.toThrow('secret-value');
    });
    const span = test.spans().at(-2)!;
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span.attributes['error.type']).toBe('22P02');
  });

  it('report the pool', async () => {
    // The connection whose query failed was closed.
    await pool.query('SELECT 1');
    const lines = await test.metrics('db_client_connection_');
    expect(lines.map((line) => line.replace(/db_client_connection_pool_name="[^"]*"/, 'name'))).toEqual([
      'db_client_connection_count{name,db_client_connection_state="used"} 0',
      'db_client_connection_count{name,db_client_connection_state="idle"} 1',
      'db_client_connection_pending_requests{name} 0',
      'db_client_connection_max{name} 1',
    ]);
  });
});
