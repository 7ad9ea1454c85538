import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { currentContext } from './context.ts';

/** What undici publishes before it writes a request; `headers` is a flat list of names and values. */
type Created = {
  request: {
    origin?: string | URL;
    headers?: string | readonly unknown[];
    addHeader(name: string, value: string): unknown;
  };
};

export type PropagationOptions = {
  /** Which origins get the header. Default: all. */
  to?: (origin: string) => boolean;
};

const CHANNEL = 'undici:request:create';

/**
 * Adds `X-Correlation-ID` to every request that `fetch` makes during work under a context, unless it has one. Works on
 * Node's own `fetch` and on undici. A dispatcher that queues requests (`connections` set) makes them later, in whatever
 * context a connection becomes free: set the header yourself there.
 *
 * @returns a function that ends it.
 */
export function propagateCorrelation({ to = () => true }: PropagationOptions = {}): () => void {
  const onCreate = (message: unknown) => {
    const id = currentContext()?.correlationId;
    const { request } = message as Created;
    if (id === undefined || has(request.headers) || !to(String(request.origin))) return;
    request.addHeader('X-Correlation-ID', id);
  };
  subscribe(CHANNEL, onCreate);
  return () => void unsubscribe(CHANNEL, onCreate);
}

function has(headers: Created['request']['headers']): boolean {
  if (typeof headers === 'string') return /^x-correlation-id:/im.test(headers);
  return (headers ?? []).some((name, i) => i % 2 === 0 && /^x-correlation-id$/i.test(String(name)));
}
