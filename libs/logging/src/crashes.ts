import type { Logger } from 'pino';

/**
 * Logs what would end the process with a stack trace on stderr as one line, `uncaught_exception` or
 * `unhandled_rejection`, writes out every line that waits, and exits with 1: after either of them the state of the
 * process is unknown (https://nodejs.org/api/process.html#warning-using-uncaughtexception-correctly).
 *
 * @returns a function that takes the handlers away again.
 */
export function logCrashes(logger: Logger): () => void {
  const end = (event: string) => (err: unknown) => {
    try {
      // fatal writes at once; flush is for destinations that do not know that.
      logger.fatal({ event, err: err instanceof Error ? err : { type: typeof err, message: err } });
      logger.flush();
    } finally {
      process.exit(1);
    }
  };
  const onException = end('uncaught_exception');
  const onRejection = end('unhandled_rejection');
  process.on('uncaughtException', onException).on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException).off('unhandledRejection', onRejection);
  };
}
