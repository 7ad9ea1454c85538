import { pino, type DestinationStream, type Logger } from 'pino';
import { currentContext } from './context.ts';

export type { Logger };

export type LoggerOptions = {
  service: string;
  version?: string;
  /** Default `info`. */
  level?: string;
  /** Default: stdout. A process writes its events there and lets the platform collect them (factor 11). */
  destination?: DestinationStream;
};

/** JSON lines with ISO time, textual severity and the correlation id of the work under way. */
export function createLogger({ service, version, level = 'info', destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { 'service.name': service, ...(version ? { 'service.version': version } : {}) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ severity: label }) },
      mixin: () => {
        const context = currentContext();
        return context ? { correlation_id: context.correlationId } : {};
      },
      redact: ['authorization', '*.authorization', 'cardToken', '*.cardToken', 'password', '*.password'],
    },
    destination ?? pino.destination({ sync: false }),
  );
}

/** The shape that Nest's `logger` option takes. Nest's own start-up chatter goes to `debug`. */
export function nestLogger(logger: Logger) {
  const at =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]) => {
      logger[level]({ event: 'nest', detail: rest.length ? rest : undefined }, String(message));
    };
  return {
    log: at('debug'),
    debug: at('debug'),
    verbose: at('debug'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  };
}
