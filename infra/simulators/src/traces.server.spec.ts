import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { otlpExport, otlpSpan, startTraces, traceId } from './traces.fixture.ts';

const id = (digit: string) => digit.repeat(16);
const trace = (digit: string) => digit.repeat(32);

describe('the receiver', () => {
  it('keeps what an exporter sends of a span', async () => {
    const { post, get } = startTraces();
    const span = otlpSpan({
      parentSpanId: id('2'),
      attributes: [
        { key: 'http.route', value: { stringValue: '/' } },
        { key: 'http.response.status_code', value: { intValue: '500' } },
        { key: 'share', value: { doubleValue: 0.5 } },
        { key: 'cached', value: { boolValue: false } },
        { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1 }] } } },
        { key: 'map', value: { kvlistValue: { values: [{ key: 'k', value: {} }] } } },
      ],
      events: [{ name: 'exception', timeUnixNano: '1763719200001000000' }],
      links: [{ traceId: trace('b'), spanId: id('3') }],
      status: { code: 2, message: 'it broke' },
    });
    const answer = await post('/v1/traces', otlpExport('orders', span));
    expect([answer.statusCode, answer.json()]).toEqual([200, {}]);
    expect(await get(`/traces/${traceId}`)).toEqual({
      traceId,
      spans: [
        {
          traceId,
          spanId: id('1'),
          parentSpanId: id('2'),
          service: 'orders',
          scope: 'test',
          name: 'GET /',
          kind: 'server',
          startMs: 1_763_719_200_000,
          durationMs: 12.345678,
          status: 'error',
          statusMessage: 'it broke',
          attributes: {
            'http.route': '/',
            'http.response.status_code': 500,
            share: 0.5,
            cached: false,
            list: ['a', 1],
            map: { k: null },
          },
          events: [{ name: 'exception', timeMs: 1_763_719_200_001, attributes: {} }],
          links: [{ traceId: trace('b'), spanId: id('3') }],
          resource: { 'service.name': 'orders' },
        },
      ],
    });
  });

  it('takes an empty parent, as a collector writes it, for none', async () => {
    const { send, get } = startTraces();
    await send('orders', otlpSpan({ parentSpanId: '' }));
    expect(await get(`/traces/${traceId}`)).toMatchObject({ spans: [{ parentSpanId: null }] });
  });

  it('unpacks gzip', async () => {
    const { app, get } = startTraces();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const payload = gzipSync(JSON.stringify(otlpExport('orders', otlpSpan())));
    expect(await app.inject({ method: 'POST', url: '/v1/traces', headers, payload })).toMatchObject({
      statusCode: 200,
    });
    expect(await get(`/traces/${traceId}`)).toMatchObject({ spans: [{ service: 'orders' }] });
  });

  it('does not unpack more than it would have taken unpacked', async () => {
    const { app } = startTraces();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const payload = gzipSync(Buffer.alloc(17 * 1024 * 1024, ' '));
    const answer = await app.inject({ method: 'POST', url: '/v1/traces', headers, payload });
    expect(answer.json()).toMatchObject({ status: 400, detail: expect.stringContaining('larger than') });
  });

  it.each(['/v1/traces', '/v1/metrics'])('refuses protobuf at %s and says what to set', async (url) => {
    const { post } = startTraces();
    const answer = await post(url, 'x', { 'content-type': 'application/x-protobuf' });
    expect(answer.json()).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
      detail: expect.stringContaining('OTEL_EXPORTER_OTLP_PROTOCOL=http/json'),
    });
  });

  it.each([
    ['not JSON', '{', 'JSON'],
    ['a bad trace id', otlpExport('orders', otlpSpan({ traceId: 'x' })), 'traceId'],
    ['a bad time', otlpExport('orders', otlpSpan({ startTimeUnixNano: 'now' })), 'startTimeUnixNano'],
  ])('refuses %s', async (_, payload, named) => {
    const answer = await startTraces().post('/v1/traces', payload);
    expect(answer.json()).toMatchObject({ status: 400, detail: expect.stringContaining(named) });
  });

  it('cuts a text that is longer than 4096 characters', async () => {
    const { send, get } = startTraces();
    const attributes = [{ key: 'body', value: { stringValue: 'x'.repeat(10_000) } }];
    await send('orders', otlpSpan({ attributes }));
    expect((await get(`/traces/${traceId}`)).spans[0].attributes.body).toHaveLength(4097);
  });

  it('counts the metrics that it drops', async () => {
    const { post, get } = startTraces();
    const metrics = [{ name: 'a' }, { name: 'b' }];
    const answer = await post('/v1/metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    expect(answer.json()).toEqual({});
    expect(await get('/traces')).toMatchObject({ traces: [], metricsDropped: 2 });
  });

  it('says in its answer how many spans found no room', async () => {
    const spans = ['1', '2', '3'].map((digit) => otlpSpan({ spanId: id(digit) }));
    expect((await startTraces(2).send('orders', ...spans)).json()).toMatchObject({
      partialSuccess: { rejectedSpans: 1 },
    });
  });
});

describe('the traces', () => {
  async function three() {
    const all = startTraces();
    const at = (second: number) => ({
      startTimeUnixNano: `176371920${second}000000000`,
      endTimeUnixNano: `176371920${second}500000000`,
    });
    await all.send('orders', otlpSpan({ traceId: trace('a'), name: 'POST /orders', ...at(1) }));
    const attributes = [{ key: 'correlation.id', value: { stringValue: 'c:1' } }];
    const child = { spanId: id('2'), parentSpanId: id('1'), status: { code: 2 }, attributes };
    await all.send('payments', otlpSpan({ traceId: trace('a'), name: 'process', ...child, ...at(2) }));
    await all.send('scheduler', otlpSpan({ traceId: trace('b'), name: 'tick', ...at(3) }));
    return all;
  }

  it('are listed with the newest first, each by its root', async () => {
    const { traces, stored } = await (await three()).get('/traces');
    expect(stored).toEqual({ traces: 2, spans: 3, forgotten: 0 });
    expect(traces).toMatchObject([
      { traceId: trace('b'), service: 'scheduler', name: 'tick' },
      {
        traceId: trace('a'),
        service: 'orders',
        name: 'POST /orders',
        services: ['orders', 'payments'],
        spans: 2,
        errors: 1,
        durationMs: 1500,
      },
    ]);
  });

  it.each([
    ['service=payments', ['a']],
    ['attribute=correlation.id:c:1', ['a']],
    ['attribute=correlation.id:c', []],
    ['attribute=service.name:scheduler', ['b']],
    ['service=orders&attribute=correlation.id:c:1', []],
    ['limit=1', ['b']],
  ])('are found by %s', async (query, expected) => {
    const { traces } = await (await three()).get(`/traces?${query}`);
    expect(traces.map(({ traceId }: { traceId: string }) => traceId)).toEqual(expected.map(trace));
  });

  it.each(['limit=0', 'attribute=x', 'color=red'])('are not asked for by %s', async (query) => {
    expect(await (await three()).get(`/traces?${query}`)).toMatchObject({ status: 400 });
  });

  it('are on the page, with what they hold as text', async () => {
    const { app, send } = startTraces();
    await send('orders', otlpSpan({ name: '<b>bold</b>' }));
    const { body } = await app.inject('/');
    expect(body).toContain(`href="/traces/${traceId}"`);
    expect(body).toContain('not a tracing backend');
    expect(body).not.toContain('<b>');
  });

  it('are gone after DELETE', async () => {
    const { app, get } = await three();
    expect((await app.inject({ method: 'DELETE', url: '/traces' })).statusCode).toBe(204);
    expect(await get(`/traces/${trace('a')}`)).toMatchObject({ status: 404, code: 'trace_not_found' });
  });
});
