import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aConfig } from './config.fixture.ts';
import { GatewayClient } from './gateway.client.ts';

/** Real: HTTP and the policies around it. The gateway answers by script, one answer a call, the last one for ever. */
type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Seen = { method: string; url: string; key?: string; authorization?: string };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const json =
  (status: number, body: object): Answer =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const charged = json(201, { id: 'ch_1', status: 'succeeded', amount: 2100 });
const silence: Answer = () => {};
const reset: Answer = (request) => void request.socket.destroy();
const halfAnAnswer: Answer = (request, response) => {
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': '500' });
  response.write('{"id":"ch_1",', () => request.socket.destroy());
};
const notJson: Answer = (_, response) =>
  void response.writeHead(200).end('<html>Welcome to the hotel</html>');

async function aGateway(...answers: Answer[]) {
  const calls: Seen[] = [];
  const hungUp = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const { authorization } = headers;
    calls.push({ method, url, key: headers['idempotency-key'] as string | undefined, authorization });
    response.on('close', () => response.writableFinished || hungUp.resolve());
    request
      .resume()
      .on('end', () => (answers.length > 1 ? answers.shift()! : answers[0]!)(request, response));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, hungUp: hungUp.promise };
}

const aClient = (url: string, env: Record<string, string> = {}) =>
  new GatewayClient(
    aConfig({
      GATEWAY_URL: url,
      GATEWAY_DEADLINE_MS: '5000',
      GATEWAY_TIMEOUT_MS: '5000',
      GATEWAY_RETRY_BASE_MS: '1',
      GATEWAY_RETRY_MAX_MS: '1',
      // More than any spec below calls, but for those that are about the circuit.
      GATEWAY_BREAKER_WINDOW_CALLS: '100',
      GATEWAY_BREAKER_MIN_CALLS: '100',
      ...env,
    }),
  );
const request = { amount: 2100, currency: 'EUR', cardToken: 'tok_visa', reference: 'o1' };
const oneAttempt = { GATEWAY_ATTEMPTS: '1' };

describe('what the gateway says', () => {
  it.each([
    ['a charge', charged, { charged: true, chargeId: 'ch_1' }],
    [
      'a declined card',
      json(402, { id: 'ch_2', status: 'declined', declineCode: 'expired_card' }),
      { charged: false, reason: 'expired_card' },
    ],
    [
      'a card that it does not know',
      json(422, { code: 'unknown_card_token' }),
      { charged: false, reason: 'unknown_card_token' },
    ],
    [
      'a request that it does not take',
      json(400, { code: 'invalid_request' }),
      { charged: false, reason: 'invalid_request' },
    ],
  ])('is a result when it is %s, after one call', async (_, answer, result) => {
    const { url, calls } = await aGateway(answer);
    expect(await aClient(url).charge('p1', request)).toEqual(result);
    expect(calls).toEqual([
      { method: 'POST', url: '/v1/charges', key: 'p1', authorization: 'Bearer the-key' },
    ]);
  });

  it('is no result when the key was used for another charge: that one may have moved money', async () => {
    const { url, calls } = await aGateway(json(422, { code: 'idempotency_key_reused' }));
    await expect(aClient(url).charge('p1', request)).rejects.toThrow('idempotency_key_reused');
    expect(calls).toHaveLength(1);
  });

  it('is no result, nor tried again, when it refuses our own key', async () => {
    const { url, calls } = await aGateway(json(401, { code: 'unauthorized' }));
    const refused = aClient(url).charge('p1', request);
    await expect(refused).rejects.toThrow('401');
    await expect(refused).rejects.not.toHaveProperty('transient');
    expect(calls).toHaveLength(1);
  });

  it('tells of a payment whether it was charged, or that it was never seen', async () => {
    const { url, calls } = await aGateway(
      json(200, { charge: { id: 'ch_1', status: 'succeeded' } }),
      json(404, { code: 'charge_not_found' }),
    );
    const client = aClient(url);
    expect(await client.find('p 1')).toEqual({ charged: true, chargeId: 'ch_1' });
    expect(await client.find('p 1')).toBeUndefined();
    expect(calls[0]).toMatchObject({ method: 'GET', url: '/v1/charges?idempotencyKey=p%201' });
  });
});

describe('an outcome that is not known', () => {
  it.each([
    ['an error', json(503, {})],
    ['an error after the charge', json(500, { code: 'failed_after_capture' })],
    ['too many requests', json(429, {})],
    ['a first request that is still running', json(409, {})],
    ['a broken connection', reset],
    ['half an answer', halfAnAnswer],
    ["somebody else's page", notJson],
  ])('is asked for again under the same key after %s', async (_, failure) => {
    const { url, calls } = await aGateway(failure, failure, charged);
    expect(await aClient(url).charge('p1', request)).toEqual({ charged: true, chargeId: 'ch_1' });
    expect(calls.map(({ key }) => key)).toEqual(['p1', 'p1', 'p1']);
  });

  it.each([
    ['an error', json(503, {}), 'gateway_unavailable'],
    ['half an answer', halfAnAnswer, 'gateway_unavailable'],
    ['silence', silence, 'timeout'],
  ])('is transient when %s is all there is', async (_, failure, code) => {
    const { url, calls } = await aGateway(failure);
    const client = aClient(url, failure === silence ? { GATEWAY_TIMEOUT_MS: '300' } : {});
    await expect(client.charge('p1', request)).rejects.toMatchObject({ code, transient: true });
    expect(calls).toHaveLength(3);
  });

  it('is transient when nobody listens', async () => {
    const { url } = await aGateway(charged);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server!.close(resolve));
    await expect(aClient(url).charge('p1', request)).rejects.toMatchObject({ transient: true });
  });

  it('holds for a refund too, whose key is its own', async () => {
    const { url, calls } = await aGateway(json(503, {}), json(201, { id: 're_1' }));
    expect(await aClient(url).refund('p1', 'ch_1')).toEqual({ refunded: true, refundId: 're_1' });
    expect(calls.map(({ key }) => key)).toEqual(['refund-p1', 'refund-p1']);
  });
});

describe('a refund that is refused', () => {
  const refused = json(422, { code: 'refund_exceeds_charge' });
  it.each([
    ['stays refused', 500, { refunded: false, reason: 'refund_exceeds_charge' }],
    ['is made, by another hand', 2100, { refunded: true, refundId: 'not_ours' }],
  ])('%s when the gateway, asked, has given back %s of 2100', async (_, refundedAmount, result) => {
    const { url, calls } = await aGateway(refused, json(200, { id: 'ch_1', amount: 2100, refundedAmount }));
    expect(await aClient(url).refund('p1', 'ch_1')).toEqual(result);
    expect(calls.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'POST /v1/refunds',
      'GET /v1/charges/ch_1',
    ]);
  });

  it('is not known while the gateway does not say what it has given back', async () => {
    const { url } = await aGateway(refused, json(503, {}));
    await expect(aClient(url, oneAttempt).refund('p1', 'ch_1')).rejects.toMatchObject({ transient: true });
  });
});

describe('the list of charges', () => {
  const charge = (id: string, key: string) => ({
    ...{ id, idempotencyKey: key, status: 'succeeded', amount: 2100, currency: 'EUR', refundedAmount: 0 },
    ...{ reference: 'o1', metadata: {} },
  });
  const read = async (url: string) => {
    const pages = [];
    for await (const page of aClient(url, oneAttempt).charges({ createdAfter: new Date(0), limit: 1 }))
      pages.push(page.map(({ id }) => id));
    return pages;
  };

  it('is read page by page, each after the last charge of the one before', async () => {
    const page = (id: string, hasMore: boolean) => json(200, { charges: [charge(id, 'k')], hasMore });
    const { url, calls } = await aGateway(page('ch_1', true), page('ch_2', false));
    expect(await read(url)).toEqual([['ch_1'], ['ch_2']]);
    const query = 'createdAfter=1970-01-01T00%3A00%3A00.000Z&limit=1';
    expect(calls.map(({ url: path }) => path)).toEqual([
      `/v1/charges?${query}`,
      `/v1/charges?${query}&startingAfter=ch_1`,
    ]);
  });

  it('ends where the gateway says that there is more and shows nothing', async () => {
    const { url } = await aGateway(json(200, { charges: [], hasMore: true }));
    expect(await read(url)).toEqual([[]]);
  });

  it('is an error when the gateway refuses or is away midway, not the end of the list', async () => {
    const first = json(200, { charges: [charge('ch_1', 'k')], hasMore: true });
    const [refusing, away] = [await aGateway(first, json(400, {})), await aGateway(first, json(503, {}))];
    await expect(read(refusing.url)).rejects.toThrow('it answered 400');
    await expect(read(away.url)).rejects.toMatchObject({ transient: true });
  });
});

describe('the circuit', () => {
  const soon = { ...oneAttempt, GATEWAY_BREAKER_MIN_CALLS: '4', GATEWAY_BREAKER_FAILURE_PERCENT: '50' };

  it('opens when half of the latest calls fail, and then no call reaches the gateway', async () => {
    const { url, calls } = await aGateway(charged, charged, json(503, {}));
    const client = aClient(url, soon);
    const changes: string[] = [];
    client.policies.on('stateChange', ({ pipeline, to }) => changes.push(`${pipeline} ${to}`));
    for (let i = 0; i < 2; i++) await client.charge('p1', request);
    for (let i = 0; i < 2; i++)
      await expect(client.charge('p1', request)).rejects.toMatchObject({ code: 'gateway_unavailable' });
    await expect(client.charge('p1', request)).rejects.toMatchObject({
      code: 'circuit_open',
      transient: true,
      retryAfterMs: expect.any(Number),
    });
    await expect(client.find('p1')).rejects.toMatchObject({ code: 'circuit_open' });
    expect(calls).toHaveLength(4);
    expect(changes).toEqual(['payment gateway open']);
  });

  it('stays closed, however many cards are declined and however often our own key is refused', async () => {
    const declined = json(402, { id: 'ch_2', status: 'declined', declineCode: 'lost_card' });
    const { url, calls } = await aGateway(declined, declined, declined, json(401, {}));
    const client = aClient(url, soon);
    for (let i = 0; i < 3; i++) await client.charge('p1', request);
    for (let i = 0; i < 9; i++) await expect(client.charge('p1', request)).rejects.toThrow('401');
    expect(calls).toHaveLength(12);
  });
});

describe('a gateway that says when to come back', () => {
  const busy: Answer = (_, response) => void response.writeHead(429, { 'retry-after': '3600' }).end();

  it('is not asked again before; whoever waits for it learns for how long', async () => {
    const { url, calls } = await aGateway(busy);
    await expect(aClient(url).charge('p1', request)).rejects.toMatchObject({
      code: 'gateway_unavailable',
      retryAfterMs: 3_600_000,
    });
    expect(calls).toHaveLength(1);
  });
});

describe('a caller who gives up', () => {
  it('is let go at once, and the call is broken off', async () => {
    const gaveUp = new AbortController();
    const { url, calls, hungUp } = await aGateway(() => gaveUp.abort(new Error('shutting down')));
    await expect(aClient(url).charge('p1', request, gaveUp.signal)).rejects.toMatchObject({
      name: 'AbortError',
      cause: { message: 'shutting down' },
    });
    await hungUp;
    expect(calls).toHaveLength(1);
  });
});
