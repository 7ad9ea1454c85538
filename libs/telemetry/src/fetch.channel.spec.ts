import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { createServer, type Server } from 'node:http';
import { testTelemetry, until } from './telemetry.fixture.ts';

// Real: Node's fetch and a server that says which traceparent came.
let server: Server;
let url: string;
let test: ReturnType<typeof testTelemetry>;

beforeEach(async () => {
  server = createServer((request, response) => {
    response.statusCode = request.url!.startsWith('/missing') ? 404 : 200;
    response.end(request.headers['traceparent'] ?? 'none');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});

afterEach(async () => {
  await test.telemetry.shutdown();
  server.closeAllConnections();
  server.close();
});

const start = (share = 1) => {
  test = testTelemetry({ instrumentations: ['fetch'] }, { share });
  return test.telemetry;
};
const textOf = async (path: string) => (await fetch(url + path)).text();

describe('fetch', () => {
  it('sends the trace along and makes a span, which has no query and no credentials', async () => {
    const telemetry = start();
    let outer: string | undefined;
    const sent = await telemetry.inSpan('outer', {}, async () => {
      outer = telemetry.traceparent();
      const { host } = new URL(url);
      return (await fetch(`http://${host}/gateway?token=secret`)).text();
    });
    const span = test.span('GET');
    expect(sent).toBe(`00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`);
    expect(outer).toContain(span.parentSpanContext!.spanId);
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.full': `${url}/gateway`,
    });
    expect(JSON.stringify(span.attributes)).not.toContain('secret');
  });

  it('sends a trace along that is not sampled, and makes no span', async () => {
    const telemetry = start(0);
    const [sent, current] = await telemetry.inSpan('outer', {}, async () => [
      await textOf('/'),
      telemetry.traceparent(),
    ]);
    expect(sent).toBe(current);
    expect(sent).toMatch(/-00$/);
    expect(test.spans()).toEqual([]);
    expect((await test.metrics('http_client_request_duration_seconds_count{'))[0]).toMatch(/ 1$/);
  });

  it('sends nothing where there is no trace, and begins none', async () => {
    start();
    expect(await textOf('/')).toBe('none');
    expect(test.spans()).toEqual([]);
  });

  it('marks what failed: a status, or no answer at all', async () => {
    const telemetry = start();
    await telemetry.inSpan('outer', {}, async () => {
      await textOf('/missing');
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await textOf('/').catch(() => undefined);
    });
    await until(() => test.spans().length === 3);
    const [missing, refused] = test.spans();
    expect(missing!.attributes).toMatchObject({ 'error.type': '404', 'http.response.status_code': 404 });
    expect(refused!.attributes['error.type']).toMatch(/ECONNREFUSED|UND_ERR_SOCKET/);
    for (const span of [missing!, refused!]) expect(span.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('is left alone once telemetry has ended', async () => {
    const telemetry = start();
    await telemetry.shutdown();
    expect(await textOf('/')).toBe('none');
  });
});
