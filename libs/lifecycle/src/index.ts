export { BackingServices, type BackingServicesOptions } from './backing-services.ts';
export type { BackingService, Wait } from './backing-service.ts';
export type { Check, CheckOptions } from './check.ts';
export { consumerCheck, outboxCheck, type ConsumerShape, type OutboxShape } from './checks.ts';
export { systemClock, type Clock } from './clock.ts';
export { runCommand, type Commands } from './commands.ts';
export { Health, type HealthOptions } from './health.ts';
export { closeWhileDraining, healthAnswers, healthRoutes } from './health.routes.ts';
export { InFlight } from './in-flight.ts';
export { heapWarning, limitsFrom, poolSize, threads, type Limits, type Range } from './limits.ts';
export { detectLimits, heapLimitOf } from './limits.file.ts';
export { prestop, type PrestopOptions } from './prestop.ts';
export {
  httpStatusOf,
  reportOf,
  type Finding,
  type Findings,
  type HealthReport,
  type HealthStatus,
} from './report.ts';
export {
  runService,
  StartError,
  type Host,
  type ServiceOptions,
  type Step,
  type StepDetail,
} from './run-service.ts';
