import type { Logger } from 'pino';

/**
 * The shape that Nest's `logger` option takes. Nest tells of every module and route as it starts: that goes to `debug`.
 * Its last argument is the name of the class that speaks (`context`); of errors, the one before may be a stack.
 */
export function nestLogger(logger: Logger) {
  const at =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      const err = [message, ...rest].find((part) => part instanceof Error);
      const texts = rest.filter((part) => typeof part === 'string');
      const stack = texts.find((text) => /\n\s+at /.test(text));
      logger[level](
        {
          event: 'nest',
          context: texts.findLast((text) => text !== stack),
          ...(err ? { err } : stack !== undefined && { err: { message, stack } }),
        },
        message instanceof Error ? message.message : typeof message === 'string' ? message : undefined,
      );
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
