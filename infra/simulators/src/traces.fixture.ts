import { createTracesServer } from './traces.server.ts';

export const traceId = 'a'.repeat(32);

/** A span as the exporter writes it in OTLP's JSON. */
export function otlpSpan(change: object = {}) {
  return {
    traceId,
    spanId: '1'.repeat(16),
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: '1763719200000000000',
    endTimeUnixNano: '1763719200012345678',
    attributes: [],
    status: { code: 0 },
    ...change,
  };
}

/** An export of some spans of one service. */
export function otlpExport(service: string, ...spans: object[]) {
  const attributes = [{ key: 'service.name', value: { stringValue: service } }];
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'test' }, spans }] }] };
}

export function startTraces(maxSpans = 1000) {
  const app = createTracesServer({ logLevel: 'silent', maxSpans });
  const post = (url: string, payload: object | string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });
  return {
    app,
    post,
    send: (service: string, ...spans: object[]) => post('/v1/traces', otlpExport(service, ...spans)),
    get: async (path: string) => (await app.inject(path)).json(),
  };
}
