import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import { newContext, withContext } from './context.ts';

/** What is needed of a Fastify instance, so that this library depends on a shape and not on a framework. */
type Request = {
  headers: Record<string, string | string[] | undefined>;
  method: string;
  routeOptions: { url?: string };
};
type Reply = {
  header(name: string, value: string): unknown;
  statusCode: number;
  elapsedTime: number;
  raw: { writableFinished: boolean; once(event: 'close', listener: () => void): unknown };
};
type Hook = (request: Request, reply: Reply, done: () => void) => void;
type Server = { addHook(name: 'onRequest' | 'onResponse', hook: Hook): unknown };

export type HttpHooksOptions = {
  /**
   * Routes that begin with one of these are probes: logged only when they begin to fail (5xx, `warn`) and when they are
   * well again. Default `['/health']`.
   */
  mute?: readonly string[];
};

/**
 * A request under way: how to get back into its contexts, ours and whatever hooks before ours have set. Answers of one
 * connection wait for each other, and the end of one may come in the context of another.
 */
type UnderWay = { within: <R>(work: () => R) => R; told: boolean };

/**
 * Gives every request a context, echoes `X-Correlation-ID`, and logs one line when it is over: `http_request`, at
 * `error` from 500 on, or `http_request_aborted` when the client went away before it had its answer. To be registered
 * after the hooks of tracing, whose context is then kept too.
 */
export function httpHooks(
  server: Server,
  logger: Logger,
  { mute = ['/health'] }: HttpHooksOptions = {},
): void {
  const underWay = new WeakMap<Request, UnderWay>();
  const isToTell = probes(mute);

  server.addHook('onRequest', (request, reply, done) => {
    const context = newContext({ correlationId: request.headers['x-correlation-id'] });
    reply.header('X-Correlation-ID', context.correlationId);
    withContext(context, () => {
      const own: UnderWay = { within: AsyncLocalStorage.snapshot(), told: false };
      underWay.set(request, own);
      // Fastify's onRequestAbort comes only while the body is read; most clients give up while they wait.
      reply.raw.once('close', () => {
        if (!own.told && !reply.raw.writableFinished) own.within(() => logger.info(aborted(request, reply)));
      });
      done();
    });
  });

  server.addHook('onResponse', (request, reply, done) => {
    const own = underWay.get(request);
    const level = isToTell(routeOf(request), reply.statusCode);
    const write = () => level && logger[level](answered(request, reply));
    if (own) {
      own.told = true;
      own.within(write);
    } else write(); // a hook before ours has answered
    done();
  });
}

/** The route, not the raw path: an id in the path would make every line a kind of its own. */
const routeOf = (request: Request) => request.routeOptions.url ?? '(none)';

const answered = (request: Request, reply: Reply) => ({
  event: 'http_request',
  method: request.method,
  route: routeOf(request),
  status: reply.statusCode,
  duration_ms: tenths(reply.elapsedTime),
});

const aborted = (request: Request, reply: Reply) => ({
  event: 'http_request_aborted',
  method: request.method,
  route: routeOf(request),
  duration_ms: tenths(reply.elapsedTime),
});

const tenths = (ms: number) => Math.round(ms * 10) / 10;

/** At which level an answer is told, if at all: of the probes, only changes are. */
function probes(mute: readonly string[]) {
  const failing = new Set<string>();
  return (route: string, status: number): 'info' | 'warn' | 'error' | undefined => {
    const failed = status >= 500;
    if (!mute.some((prefix) => route.startsWith(prefix))) return failed ? 'error' : 'info';
    if (failed === failing.has(route)) return undefined;
    if (!failed) failing.delete(route);
    else failing.add(route);
    return failed ? 'warn' : 'info';
  };
}
