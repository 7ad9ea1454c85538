import { createLogger, logCrashes } from './index.ts';

/** A process of its own that logs to its real standard output and ends in the way it is told. */
const ends: Record<string, () => void> = {
  exit: () => process.exit(0),
  nothing: () => {},
  throw: () => {
    throw Object.assign(new Error('boom', { cause: new TypeError('deep') }), { code: 'E_BOOM' });
  },
  reject: () => void Promise.reject(new Error('nobody waits')),
  'throw-text': () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- somebody's library does
    throw 'just text';
  },
  stay: () => void setInterval(() => {}, 60_000),
};

const [, , end = 'exit', lines = '0', format = 'json'] = process.argv;
const logger = createLogger({ service: 'child', environment: 'development', format: format as 'json' });
if (end !== 'plain-throw') logCrashes(logger);
for (let n = 1; n <= Number(lines); n++) logger.info({ event: 'counted', n, padding: 'x'.repeat(n % 100) });
(ends[end] ?? ends['throw']!)();
