import 'reflect-metadata';
import { createHttpApp } from '@cairn/http';
import { Health, healthRoutes, untilSignal } from '@cairn/lifecycle';
import { correlationHooks, createLogger, nestLogger } from '@cairn/logging';
import { AppModule, type Role } from './app.module.ts';
import type { Config } from './config.ts';

/** Runs the process in its role until a signal ends it. */
export async function start(config: Config, role: Role): Promise<void> {
  const logger = createLogger({ service: 'notifications', level: config.LOG_LEVEL });
  const health = new Health();
  const app = await createHttpApp(AppModule.with({ config, role, logger, health }), {
    logger: nestLogger(logger),
    onError: (err) => logger.error({ event: 'request_failed', err }),
    fastify: (server) => {
      correlationHooks(server, logger);
      healthRoutes(server, health);
    },
  });
  await app.listen(config.PORT, config.HOST);
  health.started();
  logger.info({ event: 'started', role, port: config.PORT });
  await untilSignal({
    health,
    drainMs: config.DRAIN_MS,
    close: () => app.close(),
    onStep: (step, signal) => logger.info({ event: `shutdown_${step}`, signal }),
  });
}
