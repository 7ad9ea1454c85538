import {
  BackingServices,
  detectLimits,
  Health,
  poolSize,
  threads,
  type Limits,
  type Range,
} from '@cairn/lifecycle';
import type { Identity } from '@cairn/http/tls';
import { createLogger, type Logger } from '@cairn/logging';
import type { Instrumented } from './instrument.ts';
import { logFields } from './log-fields.ts';
import { identityOf, type TlsVariables } from './tls.factory.ts';

/** The variables of `everyProcess` of @cairn/config. */
export type EveryProcess = {
  SERVICE_VERSION: string;
  DEPLOYMENT_ENVIRONMENT: string;
  HOST: string;
  PORT: number;
  METRICS_PORT: number;
  LOG_LEVEL: string;
  LOG_FORMAT: 'auto' | 'json' | 'pretty';
  DRAIN_MS: number;
  SHUTDOWN_DEADLINE_MS: number;
};

/** What a process stands on, made once and handed to its composition root. Nothing connects yet. */
export type Platform = Instrumented & {
  logger: Logger;
  health: Health;
  services: BackingServices;
  /** What it shows of itself by TLS, to callers and to those it calls; undefined when it speaks plain HTTP. */
  identity: Identity | undefined;
  limits: Limits;
  /** What was sized by the limits, or by hand; logged at the start. */
  sizes: Record<string, number>;
};

export function platformOf(
  config: EveryProcess & Partial<TlsVariables>,
  instrumented: Instrumented,
): Platform {
  const { service, redactor, telemetry } = instrumented;
  const logger = createLogger({
    service,
    version: config.SERVICE_VERSION,
    environment: config.DEPLOYMENT_ENVIRONMENT,
    level: config.LOG_LEVEL,
    format: config.LOG_FORMAT,
    redact: redactor,
    trace: () => telemetry.traceFields(),
  });
  telemetry.onProblem((err) => logger.warn({ event: 'telemetry_failed', err }));
  const health = new Health({
    redact: (message) => redactor.text(message),
    onChange: (from, to, { error }) =>
      logger[to === 'ok' ? 'info' : 'warn']({ event: `readiness_${to}`, from, checks: error }),
  });
  const services = new BackingServices({
    onWait: (dependency, { error: err, ...wait }) =>
      logger.warn({ event: 'dependency_awaited', dependency, ...logFields(wait), err }),
    onUp: (dependency, up) => logger.info({ event: 'dependency_connected', dependency, ...logFields(up) }),
    onStuck: (dependency, err) => logger.warn({ event: 'dependency_stuck', dependency, err }),
  });
  const identity = identityOf(config, logger);
  return { ...instrumented, logger, health, services, identity, limits: detectLimits(), sizes: {} };
}

type Size = number | 'auto';

/** Connections to a database: as configured, or what the container's limits allow. */
export function databasePool(platform: Platform, configured: Size, range: Range = { max: 50 }): number {
  const size = configured === 'auto' ? poolSize(platform.limits, range) : configured;
  platform.sizes['database_pool'] = size;
  return size;
}

/** Worker threads: as configured, or what the container's limits allow. */
export function workerThreads(platform: Platform, configured: Size, range: Range = { max: 16 }): number {
  const size = configured === 'auto' ? threads(platform.limits, range) : configured;
  platform.sizes['worker_threads'] = size;
  return size;
}
