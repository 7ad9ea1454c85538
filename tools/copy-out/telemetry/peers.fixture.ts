import { startTelemetry } from '@cairn/telemetry';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { test } from 'node:test';

/** What the library promises, asked of the package that people install; Fastify is what it observes. */
void test('a request is a span and a measurement, and Prometheus can ask for it', async () => {
  const telemetry = await startTelemetry({ service: 'shop', env: {}, instrumentations: [] });
  const server = fastify();
  telemetry.httpHooks(server);
  server.get('/carts/:id', async () => telemetry.traceFields() ?? {});
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const reply = await server.inject({ url: '/carts/7', headers: { traceparent } });
  assert.equal(reply.json<{ trace_id: string }>().trace_id, '0af7651916cd43dd8448eb211c80319c');

  telemetry.counter('orders.confirmed', { unit: '{order}', description: 'confirmed orders' }).add(3);
  const metrics = await telemetry.serveMetrics({ port: 0, host: '127.0.0.1' });
  const text = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text();
  assert.match(text, /http_server_request_duration_seconds_count\{[^}]*http_route="\/carts\/:id"/);
  assert.match(text, /orders_confirmed_total(\{[^}]*\})? 3/);
  assert.match(text, /service_name="shop"/);
  await Promise.all([metrics.close(), server.close(), telemetry.shutdown()]);
});

void test('disabled it does nothing', async () => {
  const off = await startTelemetry({ service: 'shop', env: { OTEL_SDK_DISABLED: 'true' } });
  assert.equal(off.enabled, false);
  assert.equal(await off.inSpan('charge', {}, async () => off.traceparent() ?? 'none'), 'none');
});
