import autocannon, { type Request } from 'autocannon';
import { randomUUID } from 'node:crypto';

/** The two that matter: the most frequent request, and the hot write with the draft that goes before it. */
export const WORK = ['read', 'write'] as const;
export type Kind = (typeof WORK)[number];

export type Target = { port: number; token: string; orderId: string };

const CONNECTIONS = 12;
const DRAFT = JSON.stringify({
  email: 'bench@example.org',
  currency: 'EUR',
  lines: [{ sku: 'tea', name: 'Tea', quantity: 2, unitPrice: 450 }],
});

/** As many requests as the target answers, over connections that are kept. @throws when one is not answered by a 2xx */
export async function load(
  kind: Kind,
  { port, token, orderId }: Target,
  until: { seconds: number } | { requests: number },
): Promise<{ requests: number; seconds: number }> {
  const began = performance.now();
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    ...('seconds' in until ? { duration: until.seconds } : { amount: until.requests }),
    headers: { authorization: `Bearer ${token}` },
    requests: kind === 'read' ? [{ method: 'GET', path: `/api/v1/orders/${orderId}` }] : draftAndConfirm(),
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} of ${result.requests.total} requests failed (${kind})`);
  return { requests: result['2xx'], seconds: (performance.now() - began) / 1000 };
}

function draftAndConfirm(): Request[] {
  const json = { 'content-type': 'application/json' };
  return [
    {
      setupRequest: (request, context) => {
        const id = randomUUID();
        Object.assign(context, { id });
        return {
          ...request,
          method: 'PUT',
          path: `/api/v1/drafts/${id}`,
          headers: { ...request.headers, ...json },
          body: DRAFT,
        };
      },
    },
    {
      setupRequest: (request, context) => {
        const { id } = context as { id: string };
        return {
          ...request,
          method: 'POST',
          path: '/api/v1/orders',
          headers: { ...request.headers, ...json, 'idempotency-key': id },
          body: JSON.stringify({ draftId: id, cardToken: 'tok_ok' }),
        };
      },
    },
  ];
}

/** An order to read. */
export async function prepareOrder({ port, token }: Omit<Target, 'orderId'>): Promise<string> {
  const draftId = randomUUID();
  const call = async (method: string, path: string, body: string, headers = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string };
  };
  await call('PUT', `/drafts/${draftId}`, DRAFT);
  const card = JSON.stringify({ draftId, cardToken: 'tok_ok' });
  return (await call('POST', '/orders', card, { 'idempotency-key': draftId })).id;
}
