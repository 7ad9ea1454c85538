export { runCommand, type Commands } from './commands.ts';
export { Health, type Check, type HealthReport } from './health.ts';
export { healthRoutes } from './health-routes.ts';
export { untilSignal, type ShutdownOptions } from './shutdown.ts';
