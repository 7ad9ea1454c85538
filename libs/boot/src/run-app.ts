import { createHttpApp } from '@cairn/http';
import { healthAnswers, heapLimitOf, heapWarning, InFlight, prestop, runService } from '@cairn/lifecycle';
import { httpHooks, logCrashes, propagateCorrelation } from '@cairn/logging';
import { nestLogger } from '@cairn/logging/nest';
import type { MetricsRoute, MetricsServer } from '@cairn/telemetry';
import { logFields } from './log-fields.ts';
import type { EveryProcess, Platform } from './platform.ts';
import { serverTls, watchIdentity, type TlsVariables } from './tls.factory.ts';

export type AppOptions = {
  /** The Nest module that wires the controllers. */
  module: Parameters<typeof createHttpApp>[0];
  /** What the process was started as, for its log. */
  role: string;
  /** What begins once all backing services are connected: consumers, relay, clock. */
  begin?: () => unknown;
  /** Finishes the messages in hand, while the clients are still open. */
  finish?: () => unknown;
  /** More paths of the metrics port. */
  routes?: Record<string, MetricsRoute>;
};

/** Runs a process from its first port to its last line: what every app does, whatever it is about. */
export async function runApp(
  platform: Platform,
  config: EveryProcess & Partial<TlsVariables>,
  options: AppOptions,
): Promise<void> {
  const { health, logger, redactor, services, telemetry } = platform;
  const { module, role, begin, finish, routes } = options;
  logCrashes(logger);
  propagateCorrelation();
  tellLimits(platform);
  const unwatch = watchIdentity(platform);
  services.register(health);
  const inFlight = new InFlight();
  const app = await createHttpApp(module, {
    logger: nestLogger(logger),
    redact: (text) => redactor.text(text),
    tls: serverTls(platform, config),
    onError: (err) => {
      logger.error({ event: 'request_failed', err });
      telemetry.recordError(err);
    },
    fastify: (server) => {
      telemetry.httpHooks(server);
      httpHooks(server, logger);
      inFlight.hooks(server, health);
    },
  });
  let metrics: MetricsServer | undefined;
  await runService({
    health,
    services,
    inFlight,
    drainMs: config.DRAIN_MS,
    deadlineMs: config.SHUTDOWN_DEADLINE_MS,
    listen: async () => {
      metrics = await telemetry.serveMetrics({
        port: config.METRICS_PORT,
        host: config.HOST,
        routes: {
          ...healthAnswers(health),
          '/prestop': prestop({ health, drainMs: config.DRAIN_MS }),
          ...routes,
        },
      });
      await app.listen(config.PORT, config.HOST);
    },
    ...(begin && { begin }),
    close: () => Promise.all([app.close(), finish?.()]),
    end: () => Promise.all([unwatch(), metrics?.close(), telemetry.shutdown()]),
    onStep: (step, { error: err, ...detail }) =>
      logger[err ? 'error' : 'info']({
        event: `service_${step}`,
        role,
        ...logFields(detail),
        ...(err !== undefined && { err }),
      }),
  });
  logger.flush();
}

function tellLimits({ limits, sizes, logger }: Platform): void {
  const heapLimitBytes = heapLimitOf();
  logger.info({
    event: 'limits_detected',
    source: limits.source,
    cpus: limits.cpus,
    memory_bytes: limits.memoryBytes,
    heap_limit_bytes: heapLimitBytes,
    ...sizes,
  });
  const problem = limits.source === 'none' ? undefined : heapWarning(limits, heapLimitBytes);
  if (problem) logger.warn({ event: 'heap_limit_too_high' }, problem);
}
