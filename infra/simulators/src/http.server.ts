import { fastify, LogController } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

export type LogOptions = { logLevel: string };
/** `quiet` are the paths that machines call again and again; like `/health` they are logged at `debug`. */
type ServerOptions = LogOptions & { quiet?: string[] };

/** A server as all simulators want it: one log line per request, every error as problem+json, quick to stop. */
export function createServer(name: string, { logLevel, quiet = [] }: ServerOptions): FastifyInstance {
  const app = fastify({
    logger: {
      level: logLevel,
      base: { simulator: name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    logController: new LogController({ disableRequestLogging: true }),
    // Hung requests are a feature here; they must not keep the process from stopping.
    forceCloseConnections: true,
    bodyLimit: 16 * 1024 * 1024,
  });
  app.addHook('onRequest', async (request, reply) => logWhenClosed(request, reply, ['/health', ...quiet]));
  app.setErrorHandler((error, request, reply) => sendProblem(toProblem(error, request), reply));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new Problem('not_found', `No ${request.method} ${request.url}`), reply),
  );
  app.get('/health', () => ({ status: 'ok' }));
  return app;
}

/** On `close`, not on `finish`: a request whose client gave up is one line as well. */
function logWhenClosed(request: FastifyRequest, reply: FastifyReply, quiet: string[]): void {
  reply.raw.once('close', () => {
    const line = {
      method: request.method,
      url: request.url,
      status: reply.raw.writableFinished ? reply.raw.statusCode : null,
      durationMs: Math.round(reply.elapsedTime),
      idempotencyKey: request.headers['idempotency-key'],
      correlationId: request.headers['x-correlation-id'],
      traceparent: request.headers.traceparent,
    };
    const level = quiet.includes(request.url) ? 'debug' : 'info';
    request.log[level](line, reply.raw.writableFinished ? 'answered' : 'the client gave up');
  });
}

function toProblem(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    return new Problem('invalid_request', error.message);
  }
  request.log.error({ err: error }, 'unexpected error');
  return new Problem('internal_error');
}

function sendProblem(problem: Problem, reply: FastifyReply): FastifyReply {
  if (problem.code === 'rate_limited' || problem.code === 'request_in_progress')
    reply.header('retry-after', '1');
  if (problem.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
