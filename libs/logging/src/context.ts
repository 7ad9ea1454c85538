import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { isSensitive } from './redactor.ts';

/** What ties log lines, requests and events of one piece of work together. */
export type CorrelationContext = { correlationId: string };

const storage = new AsyncLocalStorage<CorrelationContext>();

// An id is echoed into headers, log lines and e-mails: bound its length and alphabet, or it is an injection.
const CORRELATION_ID = /^[A-Za-z0-9._-]{8,64}$/;

/**
 * A context from what a caller sent. An id that is missing or not well formed (8 to 64 of `A-Z a-z 0-9 . _ -`), or that
 * looks like a secret itself (a card number, a token), is replaced by a new one.
 */
export function newContext({ correlationId }: { correlationId?: unknown } = {}): CorrelationContext {
  return { correlationId: isUsable(correlationId) ? correlationId : randomUUID() };
}

function isUsable(id: unknown): id is string {
  return typeof id === 'string' && CORRELATION_ID.test(id) && !isSensitive(id);
}

/** Runs `work` with this context; everything it awaits sees it, without a parameter. */
export function withContext<T>(context: CorrelationContext, work: () => T): T {
  return storage.run(context, work);
}

/** The context of the work under way, if any. */
export function currentContext(): CorrelationContext | undefined {
  return storage.getStore();
}
