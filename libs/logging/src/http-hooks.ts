import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import { newContext, withContext } from './context.ts';

/** What is needed of a Fastify instance, so that this library depends on a shape and not on a framework. */
type Request = {
  headers: Record<string, string | string[] | undefined>;
  method: string;
  routeOptions: { url?: string };
};
type Reply = { header(name: string, value: string): unknown; statusCode: number; elapsedTime: number };
type Hook = (request: Request, reply: Reply, done: () => void) => void;
type Server = {
  addHook(name: 'onRequest' | 'preValidation' | 'onResponse', hook: Hook): unknown;
  addHook(name: 'onRequestAbort', hook: (request: Request, done: () => void) => void): unknown;
};

export type HttpHooksOptions = {
  /** Routes that begin with one of these are logged only when they begin to fail, and when they are well again. */
  mute?: readonly string[];
};

/**
 * Gives every request a context, echoes `X-Correlation-ID`, and logs one line when it is over: `http_request`, or
 * `http_request_aborted` when the client went away.
 */
export function httpHooks(
  server: Server,
  logger: Logger,
  { mute = ['/health'] }: HttpHooksOptions = {},
): void {
  const under = new WeakMap<Request, { within: <R>(work: () => R) => R; began: number }>();
  const failing = new Set<string>();

  server.addHook('onRequest', (request, reply, done) => {
    const context = newContext({
      correlationId: request.headers['x-correlation-id'],
      traceparent: request.headers['traceparent'],
    });
    reply.header('X-Correlation-ID', context.correlationId);
    withContext(context, () => {
      under.set(request, { within: AsyncLocalStorage.snapshot(), began: performance.now() });
      done();
    });
  });

  // The body arrives in the context of the socket; from here on it is that of the request again.
  server.addHook('preValidation', (request, _, done) => {
    const own = under.get(request);
    if (own) own.within(done);
    else done();
  });

  const log = (request: Request, level: 'info' | 'warn' | 'error', fields: object) => {
    const write = () => logger[level](fields);
    const own = under.get(request);
    if (own) own.within(write);
    else write();
  };

  server.addHook('onResponse', (request, reply, done) => {
    // The route, not the raw path: an id in the path would make every line a kind of its own.
    const route = request.routeOptions.url ?? '(none)';
    const failed = reply.statusCode >= 500;
    const isMuted = mute.some((prefix) => route.startsWith(prefix));
    if (!isMuted || failed !== failing.has(route)) {
      const level = !failed ? 'info' : isMuted ? 'warn' : 'error';
      log(request, level, {
        event: 'http_request',
        method: request.method,
        route,
        status: reply.statusCode,
        duration_ms: tenths(reply.elapsedTime),
      });
    }
    if (isMuted && failed) failing.add(route);
    else if (isMuted) failing.delete(route);
    done();
  });

  server.addHook('onRequestAbort', (request, done) => {
    const route = request.routeOptions.url ?? '(none)';
    const began = under.get(request)?.began ?? performance.now();
    log(request, 'info', {
      event: 'http_request_aborted',
      method: request.method,
      route,
      duration_ms: tenths(performance.now() - began),
    });
    done();
  });
}

const tenths = (ms: number) => Math.round(ms * 10) / 10;
