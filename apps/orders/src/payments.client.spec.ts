import { afterEach, describe, expect, it } from '@jest/globals';
import { featuresOf, TestProvider } from '@cairn/config/flags';
import { newContext, propagateCorrelation, withContext } from '@cairn/logging';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aConfig } from './config.fixture.ts';
import { schema } from './config.ts';
import { OrderDetailsService } from './order-details.service.ts';
import { paymentView, type OrderView } from './orders.schemas.ts';
import { PaymentsClient } from './payments.client.ts';

/** Real: HTTP and the policies around it. Payments answers by script. */
type Answer = (response: ServerResponse) => void;

const ID = '0194f0a0-0000-7000-8000-000000000002';
const PAYMENT = {
  id: ID,
  state: 'succeeded',
  amount: 2100,
  currency: 'EUR',
  createdAt: '2026-11-21T12:00:00.000Z',
};

const servers: Server[] = [];
const close = (server: Server) => {
  server.close();
  server.closeAllConnections();
};
afterEach(() => servers.splice(0).forEach(close));

const json =
  (status: number, body: object): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const silence: Answer = () => {};
const stalls: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"id":');
};
const reset: Answer = (response) => void response.socket!.destroy();

async function payments(answer: Answer) {
  const calls: { url: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    calls.push({ url, headers });
    answer(response);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

const clientOf = (url: string, env: Record<string, string> = {}) =>
  new PaymentsClient(
    aConfig({
      PAYMENTS_URL: url,
      PAYMENTS_DEADLINE_MS: '5000',
      PAYMENTS_TIMEOUT_MS: '5000',
      PAYMENTS_RETRY_BASE_MS: '1',
      PAYMENTS_RETRY_MAX_MS: '1',
      ...env,
    }),
  );
const impatient = { PAYMENTS_DEADLINE_MS: '100', PAYMENTS_TIMEOUT_MS: '100' };

describe('a payment that orders asks for', () => {
  it('is asked for in the name of the caller, under the caller’s correlation id', async () => {
    const { url, calls } = await payments(json(200, { ...PAYMENT, orderId: 'not read' }));
    const stop = propagateCorrelation();
    const context = newContext({ correlationId: 'request-42' });
    expect(await withContext(context, () => clientOf(url).find(ID, 'Bearer a.b.c'))).toEqual(PAYMENT);
    stop();
    expect(calls).toMatchObject([
      {
        url: `/api/v1/payments/${ID}`,
        headers: { authorization: 'Bearer a.b.c', 'x-correlation-id': 'request-42' },
      },
    ]);
  });

  it('is none when payments has none of this id for this customer', async () => {
    const { url } = await payments(json(404, { code: 'payment_not_found' }));
    expect(await clientOf(url).find(ID, 'Bearer a.b.c')).toBeUndefined();
  });

  it('is read by the fields that the contract of payments promises', () => {
    const file = new URL('../../../contracts/payments.openapi.json', import.meta.url);
    const { paths } = JSON.parse(readFileSync(file, 'utf8'));
    const [answer] = Object.values<{ schema: { properties: object } }>(
      paths['/api/v1/payments/{id}'].get.responses['200'].content,
    );
    const promised = Object.keys(answer!.schema.properties);
    expect(promised).toEqual(expect.arrayContaining(Object.keys(paymentView.shape)));
  });
});

describe('an order whose payment is asked for', () => {
  const order = { id: 'o1', state: 'paid', paymentId: ID } as OrderView;
  const told: unknown[] = [];
  const flags = new TestProvider(featuresOf(schema, aConfig()));
  const ask = (client: Pick<PaymentsClient, 'find'>, of = order) =>
    new OrderDetailsService({ get: async () => of }, client, flags.client, (error) => told.push(error)).get(
      'ada',
      'o1',
      { expand: 'payment', authorization: 'Bearer a.b.c' },
    );
  afterEach(() => {
    told.splice(0);
    flags.restore();
  });

  it('comes with it', async () => {
    const { url } = await payments(json(200, PAYMENT));
    expect(await ask(clientOf(url))).toEqual({ ...order, payment: PAYMENT });
  });

  it('comes with null, and nothing is degraded, while there is none; payments is not even asked', async () => {
    const { url, calls } = await payments(json(500, {}));
    const pending = { id: 'o1', state: 'pending' } as OrderView;
    expect(await ask(clientOf(url), pending)).toEqual({ ...pending, payment: null });
    expect(calls).toEqual([]);
  });

  it('comes without it, and says so, while its flag is off; payments is not even asked', async () => {
    const { url, calls } = await payments(json(200, PAYMENT));
    flags.set('payment-expansion', false);
    expect(await ask(clientOf(url))).toEqual({ ...order, payment: null, degraded: ['payment'] });
    expect([calls, told]).toEqual([[], []]);
    flags.restore();
    expect(await ask(clientOf(url))).toEqual({ ...order, payment: PAYMENT });
  });

  it('comes with it for some customers only, while its flag is a percentage', async () => {
    const { url } = await payments(json(200, PAYMENT));
    // Ada's place under this flag is 57.44 of 100.
    flags.set('payment-expansion', '57%');
    expect(await ask(clientOf(url))).toMatchObject({ degraded: ['payment'] });
    flags.set('payment-expansion', '58%');
    expect(await ask(clientOf(url))).toMatchObject({ payment: PAYMENT });
  });

  it.each([
    ['answers with an error', json(503, {})],
    ['breaks the connection', reset],
    ['is silent past the deadline', silence],
    ['stops in the middle of its answer', stalls],
    ['says something else', json(200, { hello: 'world' })],
    ['refuses the token', json(401, { code: 'token_refused' })],
  ])('comes without it, and says so, when payments %s', async (_, answer) => {
    const { url } = await payments(answer);
    const client = clientOf(url, [silence, stalls].includes(answer) ? impatient : {});
    expect(await ask(client)).toEqual({ ...order, payment: null, degraded: ['payment'] });
    expect(told).toHaveLength(1);
  });

  it('comes without it when nobody listens, and soon without a call, since the circuit is open', async () => {
    const { url } = await payments(json(200, PAYMENT));
    close(servers.pop()!);
    const client = clientOf(url);
    for (let i = 0; i < 50; i++) expect(await ask(client)).toMatchObject({ degraded: ['payment'] });
    expect(told.at(-1)).toMatchObject({ code: 'circuit_open' });
  });

  it('keeps the circuit closed, however many tokens payments refuses', async () => {
    const { url, calls } = await payments(json(401, { code: 'token_refused' }));
    const client = clientOf(url);
    for (let i = 0; i < 30; i++) await ask(client);
    expect(calls).toHaveLength(30);
  });
});
