import type { Bug } from './bugs.ts';
import type { MemoryGateway } from './gateway.memory.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';

/** `fetch` for the gateway's client. The host of the URL is the process that asks, since all share one `fetch`. */
export function fetchFrom(
  network: Network,
  gateway: MemoryGateway,
  processOf: (name: string) => Process | undefined,
  bug: Bug | undefined,
): typeof globalThis.fetch {
  let attempts = 0;
  return async (input, { method = 'GET', headers, body, signal } = {}) => {
    const url = new URL(String(input));
    const from = processOf(url.hostname);
    // A process that is gone asks nothing and hears nothing.
    if (!from) return new Promise(() => {});
    attempts += 1;
    let key = new Headers(headers).get('idempotency-key');
    if (bug === 'key-per-attempt' && url.pathname === '/v1/charges' && key) key += `-${attempts}`;
    if (bug === 'refund-per-attempt' && url.pathname === '/v1/refunds') key += `-${attempts}`;
    const request = {
      method,
      path: url,
      key,
      body: body ? (JSON.parse(String(body)) as Record<string, unknown>) : {},
    };
    const call = {
      from,
      to: 'gateway',
      what: `${method} ${url.pathname}`,
      again: true,
      timeoutMs: 30_000,
      lost: (why: string) => new TypeError('fetch failed', { cause: new Error(why) }),
      ...(signal && { signal }),
    };
    const answer = await network.call(call, () => gateway.answer(request));
    return {
      status: answer.status,
      headers: new Headers(answer.headers),
      body: null,
      json: async () => answer.body,
    } as Response;
  };
}
