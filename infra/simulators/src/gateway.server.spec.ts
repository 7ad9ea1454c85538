import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { authorization, startGateway, visa } from './gateway.fixture.ts';

let gateway: ReturnType<typeof startGateway>;
beforeEach(() => void (gateway = startGateway()));
afterEach(() => gateway.app.close());

describe('a charge', () => {
  it('is captured, found by its id and by its key', async () => {
    const answer = await gateway.charge('k1');
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      id: expect.stringMatching(/^ch_/),
      status: 'succeeded',
      refundedAmount: 0,
    });
    expect((await gateway.get(`/v1/charges/${answer.json().id}`)).json()).toEqual(answer.json());
    expect((await gateway.get('/v1/charges?idempotencyKey=k1')).json()).toEqual({ charge: answer.json() });
    expect((await gateway.get('/v1/charges?idempotencyKey=k2')).statusCode).toBe(404);
  });

  it('that is declined is a 402 with the charge, and stays declined for its key', async () => {
    const declined = await gateway.charge('k1', { ...visa, cardToken: 'tok_insufficientFunds' });
    expect(declined.statusCode).toBe(402);
    expect(declined.json()).toMatchObject({ status: 'declined', declineCode: 'insufficient_funds' });
    const again = await gateway.charge('k1', { ...visa, cardToken: 'tok_insufficientFunds' });
    expect([again.statusCode, again.json()]).toEqual([402, declined.json()]);
    expect(await gateway.ledger()).toMatchObject({ charges: 1, declined: 1, captured: {} });
  });

  it('with the same key and body is the same charge, told by a header', async () => {
    const first = await gateway.charge('k1');
    const again = await gateway.charge('k1', Object.fromEntries(Object.entries(visa).reverse()));
    expect([again.statusCode, again.json()]).toEqual([201, first.json()]);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' });
    expect((await gateway.charge('k1', { ...visa, amount: 1 })).json()).toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  it('is one charge for 100 callers at a time with one key, and 100 for 100 keys', async () => {
    await gateway.switchOn({ latencyMs: 20 });
    const same = await Promise.all(Array.from({ length: 100 }, () => gateway.charge('same')));
    expect(new Set(same.map((answer) => answer.json().id)).size).toBe(1);
    expect(same.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    expect(await gateway.ledger()).toMatchObject({ charges: 1, captured: { EUR: 1999 } });
    await Promise.all(Array.from({ length: 100 }, (_, index) => gateway.charge(`other-${index}`)));
    expect(await gateway.ledger()).toMatchObject({ charges: 101 });
  });

  it('stands in the list of all, with its key and what was given back of it, page by page', async () => {
    const ids = [];
    for (const key of ['k1', 'k2', 'k3']) ids.push((await gateway.charge(key)).json().id);
    await gateway.charge('k4', { ...visa, cardToken: 'tok_expiredCard' });
    await gateway.post('/v1/refunds', 'r1', { chargeId: ids[1], amount: 500 });
    const list = async (query: string) => (await gateway.get(`/v1/charges?${query}`)).json();
    const first = await list('limit=2');
    expect(first).toMatchObject({
      hasMore: true,
      charges: [
        { id: ids[0], idempotencyKey: 'k1', reference: 'order-1', refundedAmount: 0 },
        { id: ids[1], idempotencyKey: 'k2', refundedAmount: 500 },
      ],
    });
    expect(await list(`limit=2&startingAfter=${ids[1]}`)).toMatchObject({
      hasMore: false,
      charges: [{ id: ids[2] }, { idempotencyKey: 'k4', status: 'declined' }],
    });
    expect(await list('createdAfter=2999-01-01T00:00:00Z')).toEqual({ charges: [], hasMore: false });
    expect(await list('startingAfter=ch_0')).toMatchObject({ code: 'charge_not_found' });
    expect(await list('limit=101')).toMatchObject({ code: 'invalid_request' });
    expect((await list('')).charges).toHaveLength(4);
  });

  it.each([
    ['unauthorized', { headers: { authorization: 'Bearer wrong', 'idempotency-key': 'k' } }],
    ['missing_idempotency_key', { headers: { authorization } }],
    ['invalid_request', { payload: { ...visa, amount: 0 } }],
    ['unknown_card_token', { payload: { ...visa, cardToken: 'tok_nope' } }],
  ])('is refused as %s, and its key stays free', async (code, change) => {
    const headers = { authorization, 'idempotency-key': 'k' };
    const answer = await gateway.app.inject({
      method: 'POST',
      url: '/v1/charges',
      payload: visa,
      headers,
      ...change,
    });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code, status: answer.statusCode });
    expect((await gateway.charge('k')).statusCode).toBe(201);
  });
});

describe('a refund', () => {
  it('gives back once per key, never more than was captured, and shows in the charge', async () => {
    const { id: chargeId } = (await gateway.charge('k1')).json();
    const first = await gateway.post('/v1/refunds', 'r1', { chargeId, amount: 500 });
    expect([first.statusCode, first.json()]).toMatchObject([201, { amount: 500, currency: 'EUR', chargeId }]);
    expect((await gateway.post('/v1/refunds', 'r1', { chargeId, amount: 500 })).json()).toEqual(first.json());
    expect((await gateway.post('/v1/refunds', 'r2', { chargeId, amount: 1500 })).json()).toMatchObject({
      status: 422,
    });
    expect((await gateway.get('/v1/refunds?idempotencyKey=r1')).json()).toEqual({ refund: first.json() });
    expect((await gateway.get(`/v1/charges/${chargeId}`)).json()).toMatchObject({ refundedAmount: 500 });
    expect(await gateway.ledger()).toMatchObject({ refunds: 1, net: { EUR: 1499 } });
  });

  it('races with others without giving back a cent too much', async () => {
    const { id: chargeId } = (await gateway.charge('k1')).json();
    await gateway.switchOn({ latencyMs: 5, latencyJitterMs: 5 });
    const refunds = Array.from({ length: 30 }, (_, index) =>
      gateway.post('/v1/refunds', `r${index}`, { chargeId, amount: 100 }),
    );
    const statuses = (await Promise.all(refunds)).map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 201)).toHaveLength(19);
    expect(await gateway.ledger()).toMatchObject({ net: { EUR: 99 } });
  });

  it('that is refused gives nothing back, and its key stays free', async () => {
    const { id: chargeId } = (await gateway.charge('k1')).json();
    await gateway.switchOn({ refuseRefundRate: 1 });
    const refused = await gateway.post('/v1/refunds', 'r1', { chargeId });
    expect([refused.statusCode, refused.json().code]).toEqual([422, 'refund_refused']);
    await gateway.switchOff();
    expect((await gateway.post('/v1/refunds', 'r1', { chargeId })).statusCode).toBe(201);
  });

  it('of an unknown charge is a 404', async () => {
    expect((await gateway.post('/v1/refunds', 'r1', { chargeId: 'ch_0' })).json()).toMatchObject({
      code: 'charge_not_found',
    });
  });
});

describe('the admin endpoints', () => {
  it('patch, put and reset the faults, and name the field that does not fit', async () => {
    expect((await gateway.switchOn({ errorRate: 0.5 })).json()).toMatchObject({
      errorRate: 0.5,
      hangRate: 0,
    });
    const bad = await gateway.switchOn({ errorRate: 2 });
    expect([bad.statusCode, bad.json().errors[0].field]).toEqual([400, 'errorRate']);
    const incomplete = await gateway.app.inject({
      method: 'PUT',
      url: '/admin/faults',
      payload: { errorRate: 1 },
    });
    expect(incomplete.json().errors.map(({ field }: { field: string }) => field)).toContain('latencyMs');
    expect((await gateway.app.inject('/admin/faults')).json()).toMatchObject({ errorRate: 0.5 });
    expect((await gateway.app.inject({ method: 'DELETE', url: '/admin/faults' })).json()).toMatchObject({
      errorRate: 0,
    });
  });

  it('sum only the orders asked for, by query or by body, and forget all on request', async () => {
    await gateway.charge('k1');
    await gateway.charge('k2', { ...visa, reference: 'order-2', amount: 1 });
    const one = { charges: 1, net: { EUR: 1 } };
    expect((await gateway.app.inject('/admin/ledger?references=order-2,order-3')).json()).toMatchObject(one);
    const payload = { references: ['order-2'] };
    expect(
      (await gateway.app.inject({ method: 'POST', url: '/admin/ledger', payload })).json(),
    ).toMatchObject(one);
    expect((await gateway.app.inject('/admin/ledger?since=2999-01-01T00:00:00Z')).json()).toMatchObject({
      charges: 0,
    });
    expect((await gateway.app.inject('/admin/ledger?since=yesterday')).statusCode).toBe(400);
    expect((await gateway.app.inject({ method: 'DELETE', url: '/admin/ledger' })).json()).toMatchObject({
      charges: 0,
    });
    expect((await gateway.get('/v1/charges?idempotencyKey=k1')).statusCode).toBe(404);
  });

  it('have a page for people with every fault on it', async () => {
    const { body } = await gateway.app.inject('/');
    for (const fault of Object.keys((await gateway.app.inject('/admin/faults')).json()))
      expect(body).toContain(`name="${fault}"`);
  });
});
