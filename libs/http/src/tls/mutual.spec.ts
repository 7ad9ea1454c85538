import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { Authority } from '../testing/index.ts';
import {
  afterwards,
  ask,
  CLIENT,
  clientOf,
  endAll,
  EXPIRED,
  HOST,
  ours,
  problemAt,
  serve,
  SERVER,
  shown,
  theirs,
} from './mutual.fixture.ts';

afterEach(endAll);

describe('a server that asks for client certificates', () => {
  it('serves a client with one of its authority, and nobody refused is told of', async () => {
    const { port, refusals } = await serve();
    expect(await ask(port, shown())).toBe(200);
    expect(refusals).toEqual([]);
  });

  it.each([
    [
      'none',
      { ca: ours.cert },
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
    ],
    ['one of another authority', shown(CLIENT, theirs), 'ECONNRESET', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['one that has expired', shown({ ...CLIENT, ...EXPIRED }), 'ECONNRESET', 'CERT_HAS_EXPIRED'],
    [
      'one that is not valid yet',
      shown({ ...CLIENT, from: new Date(Date.now() + 60_000) }),
      'ECONNRESET',
      'CERT_NOT_YET_VALID',
    ],
    [
      'one, but speaks TLS 1.2',
      { ...shown(), maxVersion: 'TLSv1.2' },
      'EPROTO',
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
    ],
  ] as const)('refuses a client that has %s, and tells why', async (_, options, seen, reason) => {
    const { port, refusals } = await serve();
    expect(await ask(port, options)).toBe(seen);
    expect(refusals).toEqual([{ reason, names: [] }]);
    // Others are served all the same.
    expect(await ask(port, shown())).toBe(200);
  });

  it('does not speak plain HTTP', async () => {
    const { port, refusals } = await serve();
    await expect(fetch(`http://${HOST}:${port}/ok`)).rejects.toThrow('fetch failed');
    expect(refusals).toEqual([{ reason: 'ERR_SSL_HTTP_REQUEST', names: [] }]);
  });

  it('tells nothing of a port that is opened and left', async () => {
    const { port, refusals, app } = await serve();
    const failed = once(app.getHttpServer(), 'tlsClientError');
    const socket = net.connect(port, HOST, () => socket.destroy());
    await failed;
    expect(refusals).toEqual([]);
  });
});

describe('a server with a list of clients', () => {
  const allowedClients = ['Orders.shop', 'spiffe://shop/web'];

  it.each([[['orders.shop']], [['x.shop', 'spiffe://shop/web']]])('serves %j', async (names) => {
    const { port } = await serve({ allowedClients });
    expect(await ask(port, shown({ names }))).toBe(200);
  });

  it.each([[['web.shop']], [['*.shop']], [[]], [['orders.shop, DNS:x']]])(
    'answers %j with a 403, on any path and once told of for each connection',
    async (names) => {
      const { port, refusals } = await serve({ allowedClients });
      const agent = new https.Agent({ keepAlive: true, ...shown({ names }) });
      afterwards(() => agent.destroy());
      for (const path of ['/ok', '/nowhere', '/ok'])
        expect(await problemAt({ host: HOST, port, path, agent })).toMatchObject({
          type: 'application/problem+json',
          body: { status: 403, code: 'client_not_allowed' },
        });
      expect(refusals).toHaveLength(1);
      expect(refusals[0]!.reason).toBe('CLIENT_NOT_ALLOWED');
    },
  );
});

describe('a client of the house', () => {
  it('shows its certificate to a server whose own has the host of the URL as a name', async () => {
    const { port } = await serve({ allowedClients: CLIENT.names });
    const response = await clientOf().fetch(`https://${HOST}:${port}/ok`);
    expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
  });

  it.each([
    ['has another name', {}, 'https://localhost', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'has a certificate of another authority',
      { authority: theirs },
      `https://${HOST}`,
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['has a certificate that has expired', { life: EXPIRED }, `https://${HOST}`, 'CERT_HAS_EXPIRED'],
  ])(
    'does not speak with a server that %s',
    async (_, { authority = ours, life = {} }: { authority?: Authority; life?: object }, url, code) => {
      const asked: unknown[] = [];
      const { cert, key } = authority.issue({ ...SERVER, ...life });
      const server = https.createServer({ cert, key }, (request, reply) => {
        asked.push(request.url);
        reply.end();
      });
      server.listen(0, HOST);
      await once(server, 'listening');
      afterwards(() => server.close());
      const { port } = server.address() as AddressInfo;
      await expect(clientOf().fetch(`${url}:${port}/ok`)).rejects.toMatchObject({ cause: { code } });
      expect(asked).toEqual([]);
    },
  );
});

describe('a connection that did its handshake and never asked anything', () => {
  it('is let go when the server closes', async () => {
    const { port, app } = await serve();
    const socket = tls.connect({ host: HOST, port, ...shown() });
    await once(socket, 'secureConnect');
    socket.resume();
    await Promise.all([app.close(), once(socket, 'close')]);
  });
});
