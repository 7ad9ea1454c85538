import type { Health } from './health.ts';
import { httpStatusOf, type HealthReport } from './report.ts';

/** What is needed of a Fastify instance. */
type Reply = {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
};
type Server = {
  get(path: string, handler: (request: unknown, reply: Reply) => unknown): unknown;
  addHook(
    name: 'onSend',
    hook: (request: unknown, reply: Reply, payload: unknown, done: () => void) => void,
  ): unknown;
};

/** Adds `/health/live`, `/health/ready` and `/health/startup` to Fastify, and `Connection: close` while the process drains. */
export function healthRoutes(server: Server, health: Health): void {
  server.get('/health/live', (_, reply) => answer(reply, health.live()));
  server.get('/health/startup', (_, reply) => answer(reply, health.startup()));
  server.get('/health/ready', async (_, reply) => answer(reply, await health.ready()));
  closeWhileDraining(server, health);
}

/**
 * The same three for a server that takes `path → answer`, such as that of metrics: there whoever probes needs no certificate,
 * and no port of the app's own.
 */
export function healthAnswers(
  health: Health,
): Record<string, () => Promise<{ status: number; body: HealthReport }>> {
  const answered = async (report: HealthReport | Promise<HealthReport>) => {
    const body = await report;
    return { status: httpStatusOf(body), body };
  };
  return {
    '/health/live': () => answered(health.live()),
    '/health/startup': () => answered(health.startup()),
    '/health/ready': () => answered(health.ready()),
  };
}

/**
 * Answers carry `Connection: close` while the process drains: keep-alive clients would go on sending to one that is about to
 * leave. Decided when the answer goes out, so that requests that were under way when the drain began close theirs too.
 */
export function closeWhileDraining(server: Pick<Server, 'addHook'>, health: Health): void {
  server.addHook('onSend', (_, reply, __, done) => {
    if (health.draining) reply.header('Connection', 'close');
    done();
  });
}

function answer(reply: Reply, report: HealthReport): unknown {
  return reply.code(httpStatusOf(report)).header('Cache-Control', 'no-store').send(report);
}
