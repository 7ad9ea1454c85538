import type { Health, HealthReport } from './health.ts';

/** What is needed of a Fastify instance. */
type Reply = {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): unknown;
};
type Server = {
  get(path: string, handler: (request: unknown, reply: Reply) => unknown): unknown;
  addHook(name: 'onRequest', hook: (request: unknown, reply: Reply, done: () => void) => void): unknown;
};

/** Adds `/health/live`, `/health/ready` and `/health/startup`, and `Connection: close` once the process drains. */
export function healthRoutes(server: Server, health: Health): void {
  server.get('/health/live', (_, reply) => answer(reply, health.live()));
  server.get('/health/startup', (_, reply) => answer(reply, health.startup()));
  server.get('/health/ready', async (_, reply) => answer(reply, await health.ready()));
  server.addHook('onRequest', (_, reply, done) => {
    // Keep-alive clients would go on sending to a process that is about to leave.
    if (health.draining) reply.header('Connection', 'close');
    done();
  });
}

function answer(reply: Reply, report: HealthReport): unknown {
  return reply
    .code(report.status === 'unavailable' ? 503 : 200)
    .header('Cache-Control', 'no-store')
    .send(report);
}
