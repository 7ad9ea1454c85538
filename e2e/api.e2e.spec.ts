import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { fetchToken } from '@cairn/tools/local/token.ts';
import { DRAFT, orderReaches, placeOrder, startSystem, type System } from './system.ts';

/** What the API refuses, and how it says so. */
let system: System;
let token: string;
beforeAll(async () => {
  system = await startSystem();
  token = await fetchToken('api-tester', 3600, system.places.issuer);
}, 60_000);
afterAll(() => system?.stop());

async function call(
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: object } = {},
) {
  const response = await fetch(`${system.places.orders}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    response,
    status: response.status,
    text,
    json: (text ? JSON.parse(text) : undefined) as Record<string, never>,
  };
}
const draftPath = () => `/api/v1/drafts/${randomUUID()}`;
const line = DRAFT.lines[0]!;

describe('the orders API', () => {
  it.each([
    ['an unknown field', { ...DRAFT, coupon: 'X' }],
    ['a currency that is none', { ...DRAFT, currency: 'XYZ' }],
    ['a currency in small letters', { ...DRAFT, currency: 'eur' }],
    ['a quantity of zero', { ...DRAFT, lines: [{ ...line, quantity: 0 }] }],
    ['a negative quantity', { ...DRAFT, lines: [{ ...line, quantity: -1 }] }],
    ['half a quantity', { ...DRAFT, lines: [{ ...line, quantity: 0.5 }] }],
    ['no lines', { ...DRAFT, lines: [] }],
    [
      'a sum beyond the safe integers',
      { ...DRAFT, lines: [{ ...line, unitPrice: Number.MAX_SAFE_INTEGER }] },
    ],
    ['no e-mail address', { ...DRAFT, email: 'ada' }],
  ])('refuses a draft with %s and names the field', async (_, body) => {
    const { status, json, response } = await call('PUT', draftPath(), { body });
    expect(status).toBe(400);
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
    expect(json).toMatchObject({ code: 'invalid_request', errors: [{ field: expect.any(String) }] });
  });

  it('refuses what is not JSON, an id that is none, and a route that is none, all as problems', async () => {
    for (const [answer, status] of [
      [await call('PUT', draftPath(), { body: '{"email":' }), 400],
      [await call('GET', '/api/v1/orders/42'), 400],
      [await call('GET', `/api/v1/orders/${randomUUID()}?expand=customer`), 400],
      [await call('GET', '/api/v1/nothing'), 404],
    ] as const) {
      expect(answer.status).toBe(status);
      expect(answer.response.headers.get('content-type')).toMatch('application/problem+json');
    }
  });

  it('lets nobody in without a token of the issuer', async () => {
    const none = await call('GET', '/api/v1/orders', { headers: { authorization: '' } });
    expect(none).toMatchObject({ status: 401, json: { code: 'token_missing' } });
    const [header, payload] = token.split('.');
    const forged = await call('GET', '/api/v1/orders', {
      headers: { authorization: `Bearer ${header}.${payload}.AAAA` },
    });
    expect(forged).toMatchObject({ status: 401, json: { code: 'token_refused' } });
  });

  it('shows a customer nothing of another', async () => {
    const [ada, eve] = [await system.customer(), await system.customer()];
    const draftId = randomUUID();
    await ada.saveDraft(draftId, DRAFT);
    const order = await placeOrder(ada);
    await expect(eve.confirm(draftId, 'tok_visa', randomUUID())).rejects.toMatchObject({ status: 404 });
    await expect(eve.order(order.id)).rejects.toMatchObject({ status: 404 });
    await expect(eve.cancel(order.id)).rejects.toMatchObject({ status: 404 });
    expect(await eve.notifications(order.id)).toEqual([]);
    const { paymentId } = await orderReaches(ada, order.id, 'paid');
    expect(await ada.payment(paymentId!)).toMatchObject({ state: 'succeeded' });
    await expect(eve.payment(paymentId!)).rejects.toMatchObject({ status: 404 });
  }, 60_000);

  it('replays the reply to an Idempotency-Key byte for byte, and refuses the key for anything else', async () => {
    const draftId = randomUUID();
    await call('PUT', `/api/v1/drafts/${draftId}`, { body: DRAFT });
    const body = { draftId, cardToken: 'tok_visa' };
    const headers = { 'idempotency-key': randomUUID() };
    const first = await call('POST', '/api/v1/orders', { body, headers });
    const again = await call('POST', '/api/v1/orders', { body, headers });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    expect(first.response.headers.get('idempotency-replayed')).toBeNull();
    expect(again.response.headers.get('idempotency-replayed')).toBe('true');
    const other = await call('POST', '/api/v1/orders', { body: { ...body, cardToken: 'tok_amex' }, headers });
    expect(other).toMatchObject({ status: 422, json: { code: 'idempotency_key_reused' } });
    const missing = await call('POST', '/api/v1/orders', { body });
    expect(missing).toMatchObject({ status: 400, json: { code: 'idempotency_key_missing' } });
    const otherKey = await call('POST', '/api/v1/orders', {
      body,
      headers: { 'idempotency-key': randomUUID() },
    });
    expect(otherKey).toMatchObject({ status: 409, json: { code: 'draft_already_confirmed' } });
  });

  it('makes one order of fifty requests with one key at the same moment', async () => {
    const draftId = randomUUID();
    await call('PUT', `/api/v1/drafts/${draftId}`, { body: DRAFT });
    const headers = { 'idempotency-key': randomUUID() };
    const request = () =>
      call('POST', '/api/v1/orders', { body: { draftId, cardToken: 'tok_visa' }, headers });
    const replies = await Promise.all(Array.from({ length: 50 }, request));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  });

  it('pages through orders, newest first, without a gap or a double', async () => {
    const pager = `pager-${randomUUID()}`;
    const shop = await system.customer(pager);
    const placed: string[] = [];
    for (let i = 0; i < 5; i++) placed.push((await placeOrder(shop)).id);
    token = await fetchToken(pager, 3600, system.places.issuer);
    const seen: string[] = [];
    for (let after: string | undefined; ;) {
      const page = (await call('GET', `/api/v1/orders?limit=2${after ? `&after=${after}` : ''}`))
        .json as unknown as {
        items: { id: string }[];
        next?: string;
      };
      seen.push(...page.items.map(({ id }) => id));
      if (!(after = page.next)) break;
    }
    expect(seen).toEqual(placed.reverse());
  });

  it('echoes a well-formed correlation id and replaces any other', async () => {
    const given = await call('GET', '/api/v1/orders', {
      headers: { 'x-correlation-id': 'checkout-7f3a9c21' },
    });
    expect(given.response.headers.get('x-correlation-id')).toBe('checkout-7f3a9c21');
    const bad = await call('GET', '/api/v1/orders', { headers: { 'x-correlation-id': 'x'.repeat(100) } });
    expect(bad.response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the metrics port of orders', () => {
  const at = (path: string) => `http://127.0.0.1:${system.launch.ports.ordersMetrics}${path}`;

  it('shows its flags and how they were answered', async () => {
    const shop = await system.customer();
    const { id } = await placeOrder(shop);
    await shop.orderWithPayment(id);
    const report = (await (await fetch(at('/flags'))).json()) as {
      flags: { name: string; value: unknown; evaluations: { count: number }[] }[];
    };
    expect(report).toMatchObject({
      flags: [{ name: 'payment-expansion', variable: 'FEATURE_PAYMENT_EXPANSION', value: true }],
      unknown: [],
    });
    expect(report.flags[0]!.evaluations.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
  });

  it('answers the three probes as the public one does', async () => {
    for (const probe of ['live', 'startup', 'ready']) {
      const [here, there] = await Promise.all(
        [at(''), system.places.orders].map((origin) => fetch(`${origin}/health/${probe}`)),
      );
      expect([here!.status, await here!.json()]).toMatchObject([200, { status: 'ok' }]);
      expect(there!.status).toBe(200);
    }
  });

  it('is the only one with metrics: the public one has none, nor a way to drain a replica', async () => {
    expect((await fetch(at('/metrics'))).status).toBe(200);
    for (const path of ['/metrics', '/flags', '/prestop'])
      expect((await fetch(`${system.places.orders}${path}`)).status).not.toBe(200);
  });
});
