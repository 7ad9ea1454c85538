/** A small service on the library, for `process.spec.ts`. GET /hang stops its loop for good; PORT and METRICS_PORT are given. */
import { Health, healthRoutes, prestop, runCommand, runService } from '@cairn/lifecycle';
import { fastify } from 'fastify';

const drainMs = 100;
const health = new Health();
const server = fastify({ forceCloseConnections: 'idle' });
const metrics = fastify();
healthRoutes(server as never, health);
metrics.get('/prestop', prestop({ health, drainMs }));
server.get('/hang', () => {
  for (;;);
});
const at = (name: string) => ({ host: '127.0.0.1', port: Number(process.env[name]) });

await runCommand('fixture', {
  all: {
    does: 'everything',
    run: () =>
      runService({
        health,
        drainMs,
        listen: () => Promise.all([server.listen(at('PORT')), metrics.listen(at('METRICS_PORT'))]),
        close: () => Promise.all([server.close(), metrics.close()]),
      }),
  },
});
