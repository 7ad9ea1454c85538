import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import fastify, { type FastifyInstance } from 'fastify';
import { connect } from 'node:net';
import type { HttpHookOptions } from './http.hooks.ts';
import { PARENT, SAMPLED, testTelemetry, TRACE, UNSAMPLED, until } from './telemetry.fixture.ts';

// Real: Fastify listening on a port, and the SDK. Only the exporter is a list.
let app: FastifyInstance;
let test: ReturnType<typeof testTelemetry>;
/** What a handler sees of its trace. */
let seen: { traceparent?: string; fields?: object | undefined }[];

async function serve(options?: HttpHookOptions, share = 1): Promise<string> {
  test = testTelemetry({}, { share });
  app = fastify();
  test.telemetry.httpHooks(app, options);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-correlation-id', 'corr-1234');
    done();
  });
  app.get('/orders/:id', async () => {
    const { traceparent, traceFields } = test.telemetry;
    await new Promise((resolve) => setImmediate(resolve));
    seen.push({ traceparent: traceparent()!, fields: traceFields() });
    return { ok: true };
  });
  app.post('/orders', async () => {
    seen.push({ traceparent: test.telemetry.traceparent()! });
    return { ok: true };
  });
  app.get('/broken', async () => {
    throw new Error('out of order');
  });
  app.get('/hangs', () => new Promise(() => {}));
  app.get('/health/live', async () => 'ok');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}

const get = async (url: string, traceparent?: string) => {
  const response = await fetch(url, { headers: traceparent ? { traceparent } : {} });
  await response.text();
};

beforeEach(() => {
  seen = [];
});

afterEach(async () => {
  app.server.closeAllConnections();
  await app.close();
  await test.telemetry.shutdown();
});

describe('a request', () => {
  it('continues the trace of its caller, under the name of its route', async () => {
    const url = await serve();
    await get(`${url}/orders/7?card=4111111111111111`, SAMPLED);
    await until(() => test.spans().length > 0);
    const span = test.span('GET /orders/:id');
    expect(span.kind).toBe(SpanKind.SERVER);
    expect(span.spanContext()).toMatchObject({ traceId: TRACE, traceFlags: 1 });
    expect(span.parentSpanContext).toMatchObject({ spanId: PARENT, isRemote: true });
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'http.response.status_code': 200,
      'url.path': '/orders/7',
      'url.scheme': 'http',
      correlation_id: 'corr-1234',
    });
    const { spanId } = span.spanContext();
    expect(seen).toEqual([
      {
        traceparent: `00-${TRACE}-${spanId}-01`,
        fields: { trace_id: TRACE, span_id: spanId, trace_flags: '01' },
      },
    ]);
  });

  it.each([
    ['nothing', undefined],
    ['no hex', `00-${'z'.repeat(32)}-${PARENT}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a version that is forbidden', `ff-${TRACE}-${PARENT}-01`],
    ['more than a traceparent', `${SAMPLED}\tx`],
  ])('begins a trace where its caller sends %s', async (_, traceparent) => {
    const url = await serve();
    await get(`${url}/orders/7`, traceparent);
    await until(() => test.spans().length > 0);
    const span = test.span('GET /orders/:id');
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.spanContext().traceId).not.toBe(TRACE);
  });

  it.each([
    ['its caller did not sample', 1, UNSAMPLED],
    ['the share is 0', 0, undefined],
  ])('makes no span when %s, but keeps its ids and is measured', async (_, share, traceparent) => {
    const url = await serve({}, share);
    await get(`${url}/orders/7`, traceparent);
    const trace = traceparent ? TRACE : '[0-9a-f]{32}';
    expect(seen[0]!.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
    expect(seen[0]!.fields).toMatchObject({ trace_flags: '00' });
    expect(await test.metrics('http_server_request_duration_seconds_count')).toEqual([
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/orders/:id",http_response_status_code="200"} 1',
    ]);
    expect(test.spans()).toEqual([]);
  });

  it('keeps its trace after its body has arrived, which a socket brings that knows of none', async () => {
    const url = await serve();
    const body = JSON.stringify({ text: 'x'.repeat(100_000) });
    const headers = { 'content-type': 'application/json', traceparent: SAMPLED };
    await (await fetch(`${url}/orders`, { method: 'POST', headers, body })).text();
    expect(seen[0]!.traceparent).toContain(TRACE);
  });

  it('keeps its trace apart from that of another one at the same time', async () => {
    const url = await serve();
    const other = `00-${'a'.repeat(32)}-${PARENT}-01`;
    await Promise.all([get(`${url}/orders/1`, SAMPLED), get(`${url}/orders/2`, other)]);
    expect(new Set(seen.map(({ traceparent }) => traceparent!.slice(3, 35)))).toEqual(
      new Set([TRACE, 'a'.repeat(32)]),
    );
  });

  it('is an error when it is answered by a 5xx, with what was thrown', async () => {
    const url = await serve();
    await get(`${url}/broken`);
    await until(() => test.spans().length > 0);
    const span = test.span('GET /broken');
    expect(span.status.code).toBe(SpanStatusCode.ERROR);
    expect(span.attributes).toMatchObject({ 'http.response.status_code': 500, 'error.type': '500' });
    expect(span.events[0]!.attributes).toMatchObject({ 'exception.message': 'out of order' });
    expect(await test.metrics('http_server_request_duration_seconds_count')).toEqual([
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/broken",http_response_status_code="500",error_type="500"} 1',
    ]);
  });

  it('is no error when the caller asked for what is not there, and names no path', async () => {
    const url = await serve();
    await get(`${url}/wp-admin/${'x'.repeat(20)}`);
    await until(() => test.spans().length > 0);
    const span = test.span('GET');
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).not.toHaveProperty('error.type');
    expect(await test.metrics('http_server_request_duration_seconds_count')).toEqual([
      'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404"} 1',
    ]);
  });

  it('ends when its caller goes before the answer', async () => {
    const url = await serve();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const arrived = new Promise<void>((resolve) => app.server.once('request', () => resolve()));
    socket.write('GET /hangs HTTP/1.1\r\nhost: x\r\n\r\n');
    await arrived;
    socket.destroy();
    await until(() => test.spans().length > 0);
    const span = test.span('GET /hangs');
    expect(span.attributes).toMatchObject({ 'error.type': 'aborted' });
    expect(span.attributes).not.toHaveProperty('http.response.status_code');
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(await test.metrics('http_server_request_duration_seconds_count')).toEqual([
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/hangs",error_type="aborted"} 1',
    ]);
  });

  it('is neither traced nor measured when it is a probe', async () => {
    const url = await serve();
    await get(`${url}/health/live`);
    expect(await test.metrics('http_server_request_duration')).toEqual([]);
    await get(`${url}/orders/1`);
    await until(() => test.spans().length > 0);
    expect(test.spans().map(({ name }) => name)).toEqual(['GET /orders/:id']);
  });

  it('takes more attributes', async () => {
    const url = await serve({ attributes: ({ url: path }) => ({ 'app.length': path.length }) });
    await get(`${url}/orders/7`);
    await until(() => test.spans().length > 0);
    expect(test.span('GET /orders/:id').attributes).toMatchObject({ 'app.length': 9 });
  });
});
