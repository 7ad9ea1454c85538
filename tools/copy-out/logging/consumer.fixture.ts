import {
  createLogger,
  createRedactor,
  currentContext,
  newContext,
  withContext,
  type Logger,
  type Redactor,
} from '@cairn/logging';

/** Compiled by strangers, under their own options. */
const redact: Redactor = createRedactor({ secrets: ['hunter2-canary'] });
const logger: Logger = createLogger({ service: 'shop', redact, destination: { write: () => {} } });
logger.info({ event: 'started', port: 3001 }, 'ready');

export const id: string | undefined = currentContext()?.correlationId;
export const answer: Promise<number> = withContext(newContext({ correlationId: id }), async () => 42);
export const hidden: string = redact.text('hunter2-canary');

// @ts-expect-error A redactor takes text: it would compile if the types were not found.
redact.text(5);
