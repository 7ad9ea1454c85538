import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Charge } from './reconciliation.ts';

type Kept = Charge & { declineCode?: string; createdAt: string };
type Answer = { status: number; body: object };
const servers: Server[] = [];

/** For specs: a gateway on HTTP that is small, keeps books by key, and loses answers or refuses refunds when told. */
export async function aGateway() {
  const charges = new Map<string, Kept>();
  const refunds = new Map<string, { id: string }>();
  const calls: string[] = [];
  const faults = { losesAnswers: false, isDown: false, isSilent: false, refusesRefunds: false };
  const book = <T>(books: Map<string, T>, key: string, make: () => T) =>
    books.get(key) ?? books.set(key, make()).get(key)!;
  const made = (chargeId: string) => [...charges.values()].find(({ id }) => id === chargeId);

  const charge = (key: string, { cardToken, amount, currency }: Kept & { cardToken: string }): Answer => {
    const kept = book<Kept>(charges, key, () => ({
      ...{ id: `ch_${key}`, amount, currency, refundedAmount: 0, idempotencyKey: key },
      createdAt: new Date().toISOString(),
      ...(cardToken === 'tok_expiredCard'
        ? { status: 'declined', declineCode: 'expired_card' }
        : { status: 'succeeded' }),
    }));
    return { status: kept.status === 'succeeded' ? 201 : 402, body: kept };
  };
  const refund = (key: string, { chargeId }: Record<string, string>): Answer => {
    if (faults.refusesRefunds) return { status: 422, body: { code: 'refund_refused' } };
    const { amount = 0 } = made(chargeId!) ?? {};
    Object.assign(made(chargeId!) ?? {}, { refundedAmount: amount });
    return { status: 201, body: book(refunds, key, () => ({ id: `re_${key}` })) };
  };
  const list = (query: URLSearchParams): Answer => {
    const all = [...charges.values()].filter(
      ({ createdAt }) => createdAt > (query.get('createdAfter') ?? ''),
    );
    const from = all.findIndex(({ id }) => id === query.get('startingAfter')) + 1;
    const page = all.slice(from, from + Number(query.get('limit')));
    return { status: 200, body: { charges: page, hasMore: from + page.length < all.length } };
  };
  const answerTo = (method: string, { pathname, searchParams }: URL, key: string, body: never): Answer => {
    if (faults.isDown) return { status: 503, body: {} };
    if (method === 'POST') return pathname === '/v1/refunds' ? refund(key, body) : charge(key, body);
    if (pathname !== '/v1/charges') return { status: 200, body: made(pathname.split('/').at(-1)!) ?? {} };
    if (!searchParams.has('idempotencyKey')) return list(searchParams);
    const found = charges.get(key);
    return found
      ? { status: 200, body: { charge: found } }
      : { status: 404, body: { code: 'charge_not_found' } };
  };

  const gateway = createServer((request, response) => {
    void json(request)
      .catch(() => ({}))
      .then((body) => {
        const url = new URL(request.url!, 'http://gateway');
        const key = String(request.headers['idempotency-key'] ?? url.searchParams.get('idempotencyKey'));
        calls.push(`${request.method} ${url.pathname} ${key}`);
        if (faults.isSilent) return;
        const answer = answerTo(request.method!, url, key, body as never);
        if (faults.losesAnswers) request.socket.destroy();
        else response.writeHead(answer.status).end(JSON.stringify(answer.body));
      });
  }).listen(0, '127.0.0.1');
  servers.push(gateway);
  await once(gateway, 'listening');
  const { port } = gateway.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, charges, refunds, calls, faults };
}

export type Gateway = Awaited<ReturnType<typeof aGateway>>;

export function closeGateways(): void {
  for (const gateway of servers.splice(0)) {
    gateway.close();
    gateway.closeAllConnections();
  }
}
