import { createLogger, type LoggerOptions } from './index.ts';

/** A logger whose lines are kept as they are written, each with its end. */
export function captured(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ service: 'orders', destination, ...options });
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, parsed, last: () => parsed().at(-1)! };
}
