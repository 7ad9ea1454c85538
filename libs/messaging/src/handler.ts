import { InvalidEventError, type Event } from './event.ts';

/** `signal` aborts when the process stops: a handler that waits for something remote ends, and its message comes again. */
type Work = { signal: AbortSignal };

export type Handler = ((event: Event, work: Work) => Promise<void>) & {
  /** What it reads of the event's data; documents are made from it. */
  readonly schema?: unknown;
};

/** Topic → event type → handler. Types that are not listed are passed over: a producer may add new ones. */
export type Handlers = Record<string, Record<string, Handler>>;

/**
 * A handler for data of a certain shape. The consumer declares the fields that it reads and no others, so that a
 * producer may add more. Data that does not fit is poison.
 */
export function reads<T>(
  schema: {
    safeParse(data: unknown): { success: true; data: T } | { success: false; error: { message: string } };
  },
  handle: (data: T, event: Event, work: Work) => Promise<unknown>,
): Handler {
  const handler = async (event: Event, work: Work) => {
    const parsed = schema.safeParse(event.data);
    if (!parsed.success) throw new InvalidEventError(`${event.type} does not fit: ${parsed.error.message}`);
    await handle(parsed.data, event, work);
  };
  return Object.assign(handler, { schema });
}
