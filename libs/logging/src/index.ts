export { currentContext, newContext, withContext, type CorrelationContext } from './context.ts';
export { logCrashes } from './crashes.ts';
export { httpHooks, type HttpHooksOptions } from './http-hooks.ts';
export { createLogger, type Logger, type LoggerOptions, type TraceFields } from './logger.ts';
export { propagateCorrelation, type PropagationOptions } from './propagation.ts';
export { createRedactor, isSensitive, type Redactor, type RedactorOptions } from './redactor.ts';
