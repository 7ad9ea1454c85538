import { newContext, withContext } from './context.ts';
import type { Logger } from './logger.ts';

/** What is needed of a Fastify instance, so that this library depends on a shape and not on a framework. */
type Request = {
  headers: Record<string, string | string[] | undefined>;
  method: string;
  routeOptions: { url?: string };
};
type Reply = { header(name: string, value: string): unknown; statusCode: number; elapsedTime: number };
type Server = {
  addHook(name: 'onRequest', hook: (request: Request, reply: Reply, done: () => void) => void): unknown;
  addHook(name: 'onResponse', hook: (request: Request, reply: Reply, done: () => void) => void): unknown;
};

/** Gives every request a context, echoes `X-Correlation-ID`, and logs one line a response. Probes are not logged. */
export function correlationHooks(server: Server, logger: Logger): void {
  server.addHook('onRequest', (request, reply, done) => {
    const context = newContext({
      correlationId: request.headers['x-correlation-id'],
      traceparent: request.headers['traceparent'],
    });
    reply.header('X-Correlation-ID', context.correlationId);
    withContext(context, done);
  });
  server.addHook('onResponse', (request, reply, done) => {
    // The route, not the raw path: an id in the path would make every line a kind of its own.
    const route = request.routeOptions.url ?? '(none)';
    if (!route.startsWith('/health')) {
      logger.info({
        event: 'http_request',
        method: request.method,
        route,
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
      });
    }
    done();
  });
}
