import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Faults } from './faults.ts';
import { createGatewayServer } from './gateway.server.ts';
import { openJournal } from './journal.file.ts';
import { seededRandom } from './random.ts';

export const visa = { amount: 1999, currency: 'EUR', cardToken: 'tok_visa', reference: 'order-1' };
export const authorization = 'Bearer key';

/** A gateway in memory for tests, and the calls that they make. */
export function startGateway() {
  const app = createGatewayServer({
    apiKey: 'key',
    journal: openJournal(undefined),
    random: seededRandom(1),
    logLevel: 'silent',
  });
  const post = (url: string, key: string, payload: object) =>
    app.inject({ method: 'POST', url, payload, headers: { authorization, 'idempotency-key': key } });
  return {
    app,
    post,
    charge: (key: string, payload: object = visa) => post('/v1/charges', key, payload),
    get: (url: string) => app.inject({ url, headers: { authorization } }),
    switchOn: (payload: Partial<Faults>) => app.inject({ method: 'PATCH', url: '/admin/faults', payload }),
    switchOff: () => app.inject({ method: 'DELETE', url: '/admin/faults' }),
    ledger: async () => (await app.inject('/admin/ledger')).json(),
    openCharge: (key: string) => openCharge(app, key),
  };
}

/** A charge over a real socket, which can be left hanging and given up. */
async function openCharge(app: FastifyInstance, key: string) {
  if (!app.server.listening) await app.listen({ port: 0 });
  const { port } = app.server.address() as { port: number };
  const headers = { authorization, 'idempotency-key': key, 'content-type': 'application/json' };
  const call = httpRequest({ port, path: '/v1/charges', method: 'POST', headers });
  let answered = false;
  call.on('response', () => (answered = true)).on('error', () => {});
  call.end(JSON.stringify(visa));
  await once(call, 'finish');
  return { answered: () => answered, giveUp: () => call.destroy() };
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}
