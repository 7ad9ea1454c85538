import { gunzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createServer } from './http.server.ts';
import type { LogOptions } from './http.server.ts';
import { exportSchema, spansOf } from './otlp.ts';
import { tracesPage } from './page.ts';
import { parse, Problem } from './problem.ts';
import { TraceStore } from './trace-store.ts';

export type TracesServerOptions = LogOptions & { maxSpans: number };

/** What an export may come to when it is unpacked: a small one of zeros must not fill the memory. */
const mostBytes = 16 * 1024 * 1024;

const idSchema = z.object({ id: z.string().regex(/^[\da-f]{32}$/i, 'must be 32 hex digits') });
const querySchema = z.strictObject({
  service: z.string().min(1).optional(),
  /** `key:value`; neither a key of OpenTelemetry nor one of ours has a colon. */
  attribute: z
    .string()
    .regex(/^[^:]+:/, 'must be key:value')
    .transform((text) => ({
      key: text.slice(0, text.indexOf(':')),
      value: text.slice(text.indexOf(':') + 1),
    }))
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
});
/** Metrics are read from the apps' metrics ports; what is pushed here is counted, and dropped. */
const metricsSchema = z.object({
  resourceMetrics: z
    .array(z.object({ scopeMetrics: z.array(z.object({ metrics: z.array(z.unknown()) })).default([]) }))
    .default([]),
});

/** Receives OTLP over HTTP as JSON, and answers what it has of a trace. */
export function createTracesServer({ maxSpans, logLevel }: TracesServerOptions): FastifyInstance {
  const app = createServer('traces', { logLevel, quiet: ['/v1/traces', '/v1/metrics'] });
  const store = new TraceStore(maxSpans);
  let metricsDropped = 0;
  acceptOtlp(app);

  app.post('/v1/traces', ({ body }) => {
    const rejectedSpans = store.add(spansOf(parse(exportSchema, body)));
    if (rejectedSpans === 0) return {};
    return { partialSuccess: { rejectedSpans, errorMessage: `one trace may have ${maxSpans} spans here` } };
  });
  app.post('/v1/metrics', ({ body }) => {
    const { resourceMetrics } = parse(metricsSchema, body);
    for (const { scopeMetrics } of resourceMetrics)
      for (const { metrics } of scopeMetrics) metricsDropped += metrics.length;
    return {};
  });

  app.get('/traces', ({ query }) => {
    const { limit, ...filter } = parse(querySchema, query);
    return { traces: store.list(filter, limit), stored: store.size(), metricsDropped };
  });
  app.get('/traces/:id', ({ params }) => {
    const { id } = parse(idSchema, params);
    const spans = store.find(id);
    if (!spans) throw new Problem('trace_not_found', `No span of ${id} came, or it went to make room`);
    return { traceId: id.toLowerCase(), spans };
  });
  app.delete('/traces', (_request, reply) => {
    store.clear();
    metricsDropped = 0;
    return reply.code(204).send();
  });
  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(tracesPage(store.list({}, 100), store.size())),
  );
  return app;
}

/** Bodies as exporters send them: JSON, gzipped or not. Protobuf is refused with what to set instead. */
function acceptOtlp(app: FastifyInstance): void {
  const read = async ({ headers }: FastifyRequest, body: Buffer): Promise<unknown> => {
    try {
      const gzipped = headers['content-encoding'] === 'gzip';
      return JSON.parse((gzipped ? gunzipSync(body, { maxOutputLength: mostBytes }) : body).toString('utf8'));
    } catch (error) {
      throw new Problem('invalid_request', (error as Error).message);
    }
  };
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, read);
  app.addContentTypeParser('*', async ({ headers }: FastifyRequest) => {
    throw new Problem(
      'unsupported_media_type',
      `OTLP is understood as application/json only, not as ${headers['content-type']}. ` +
        'Set OTEL_EXPORTER_OTLP_PROTOCOL=http/json, or encoding: json at an otlphttp exporter of a collector',
    );
  });
}
