export { currentContext, newContext, withContext, type CorrelationContext } from './context.ts';
export { correlationHooks } from './http-hooks.ts';
export { createLogger, nestLogger, type Logger, type LoggerOptions } from './logger.ts';
