import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { createHttpApp } from '../index.ts';
import { Authority, IdentityFiles, type Issue } from '../testing/index.ts';
import { CertificateError, Identity, mutualFetch, type Refusal } from './index.ts';

/** Real: TLS on loopback, Nest, Fastify, undici, files. The certificates are made here. */
const ours = new Authority('Ours');
const theirs = new Authority('Theirs');
const HOST = '127.0.0.1';
const SERVER: Issue = { names: [HOST, 'payments.shop'] };
const CLIENT: Issue = { names: ['orders.shop'] };
const EXPIRED = { from: new Date(Date.now() - 2000), to: new Date(Date.now() - 1000) };

@Controller()
class Ok {
  @Get('ok') ok() {
    return { ok: true };
  }
}
class App {}
Module({ controllers: [Ok] })(App);

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function filesOf(issue: Issue, authority = ours): IdentityFiles {
  const files = new IdentityFiles(authority, issue);
  ends.push(() => files.remove());
  return files;
}

type Served = { port: number; refusals: Refusal[]; files: IdentityFiles; app: NestFastifyApplication };

async function serve(options: { allowedClients?: string[]; pollMs?: number } = {}): Promise<Served> {
  const files = filesOf(SERVER);
  const identity = new Identity(files, options);
  ends.push(identity.watch());
  const refusals: Refusal[] = [];
  const logger = { log: () => {}, warn: () => {}, error: () => {} };
  const app = await createHttpApp(App, {
    logger,
    onError: () => {},
    tls: { identity, ...options, onRefused: (refusal) => refusals.push(refusal) },
  });
  await app.listen(0, HOST);
  ends.push(() => app.close());
  return { port: (app.getHttpServer().address() as AddressInfo).port, refusals, files, app };
}

type Shown = Partial<{ cert: string; key: string; ca: string; maxVersion: 'TLSv1.2' }>;
const shown = (issue = CLIENT, authority = ours): Shown => ({ ...authority.issue(issue), ca: ours.cert });

/** The status, or why there is none, on a connection of its own. */
function ask(port: number, options: Shown): Promise<number | string> {
  return new Promise((resolve) => {
    https
      .get({ host: HOST, port, path: '/ok', agent: false, ...options }, (reply) => {
        reply.resume().on('end', () => resolve(reply.statusCode!));
      })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code!));
  });
}

/** The same, resuming a session; gives the one to resume next. */
async function resume(port: number, options: Shown & { session?: Buffer | undefined }) {
  let [session, isReused]: [Buffer | undefined, boolean] = [undefined, false];
  const agent = new https.Agent({ keepAlive: false });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = connect(...args) as tls.TLSSocket;
    socket.on('session', (ticket: Buffer) => (session = ticket));
    socket.on('secureConnect', () => (isReused = socket.isSessionReused()));
    return socket;
  };
  const seen = await ask(port, { ...options, agent } as Shown);
  return { seen, session, isReused };
}

/** Asks again until it is so; gives what it was at last when it takes too long. */
async function until<T>(read: () => T | Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  for (const over = performance.now() + 4000; ;) {
    const value = await read();
    if (isSo(value) || performance.now() > over) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

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
      ends.push(() => agent.destroy());
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

function problemAt(options: https.RequestOptions): Promise<{ type: unknown; body: unknown }> {
  return new Promise((resolve, reject) => {
    https
      .get(options, async (reply) => {
        const chunks: Buffer[] = await reply.toArray();
        const body = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
        resolve({ type: reply.headers['content-type']?.split(';')[0], body });
      })
      .on('error', reject);
  });
}

describe('a client of the house', () => {
  const clientOf = (issue = CLIENT, authority = ours, pollMs = 10_000) => {
    const files = filesOf(issue, authority);
    const identity = new Identity(files, { pollMs });
    ends.push(identity.watch());
    return { files, fetch: mutualFetch(identity), identity };
  };

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
      ends.push(() => server.close());
      const { port } = server.address() as AddressInfo;
      await expect(clientOf().fetch(`${url}:${port}/ok`)).rejects.toMatchObject({ cause: { code } });
      expect(asked).toEqual([]);
    },
  );

  it('shows its new certificate on the next connection', async () => {
    const { port } = await serve({ allowedClients: ['new.shop'] });
    const { files, fetch: ask, identity } = clientOf(CLIENT, ours, 5);
    const status = async () => {
      const reply = await ask(`https://${HOST}:${port}/ok`, { headers: { connection: 'close' } });
      await reply.text();
      return reply.status;
    };
    expect(await status()).toBe(403);
    const renewed = new Promise((resolve) => identity.onChange(resolve));
    files.renew(ours, { names: ['new.shop'] });
    await renewed;
    expect(await status()).toBe(200);
  });
});

describe('certificates that are renewed while the server runs', () => {
  it('are shown to new connections, while old ones go on', async () => {
    const { port, files } = await serve({ pollMs: 5 });
    const agent = new https.Agent({ keepAlive: true, ...shown() });
    ends.push(() => agent.destroy());
    const kept = { host: HOST, port, path: '/nowhere', agent };
    await problemAt(kept);
    files.renew(theirs, SERVER);
    const theirsShown = { ...theirs.issue(CLIENT), ca: theirs.cert };
    expect(
      await until(
        () => ask(port, theirsShown),
        (seen) => seen === 200,
      ),
    ).toBe(200);
    // The old authority is believed no more, on new connections.
    expect(await ask(port, { ...shown(), ca: theirs.cert })).toBe('ECONNRESET');
    expect(await problemAt(kept)).toMatchObject({ body: { status: 404 } });
  });

  it('end the sessions that began under the ones before', async () => {
    const { port, files } = await serve({ pollMs: 5, allowedClients: CLIENT.names });
    const first = await resume(port, shown());
    // What a session is for: the client shows no certificate again, and is known all the same.
    expect(await resume(port, { ca: ours.cert, session: first.session })).toMatchObject({
      seen: 200,
      isReused: true,
    });
    files.renew(theirs, SERVER);
    const theirsShown = { ...theirs.issue(CLIENT), ca: theirs.cert };
    await until(
      () => ask(port, theirsShown),
      (seen) => seen === 200,
    );
    const late = await resume(port, { ...shown(), ca: theirs.cert, session: first.session });
    expect(late).toMatchObject({ seen: 'ECONNRESET', isReused: false });
  });

  it('stay as they were when new ones are wrong, which is told once', async () => {
    const files = filesOf(SERVER);
    const refused: CertificateError[] = [];
    const before = files.env;
    const identity = new Identity(files, { pollMs: 1, onRefused: (error) => refused.push(error) });
    ends.push(identity.watch());
    const { cert } = identity.current;
    files.write({ key: theirs.issue(SERVER).key });
    await until(
      () => refused.length,
      (count) => count > 0,
    );
    files.write({ ca: 'none' });
    await until(
      () => refused.length,
      (count) => count > 1,
    );
    expect(identity.current.cert).toBe(cert);
    expect(refused.map(({ message }) => message)).toEqual([
      `${before.TLS_KEY_PATH} holds a key that is not the one of the certificate: use the key that the certificate was made for; the certificate comes first in its own file`,
      expect.stringContaining(`${before.TLS_CA_PATH} holds no certificate`),
    ]);
    const renewed = new Promise((resolve) => identity.onChange(resolve));
    files.renew(ours, SERVER);
    await renewed;
    expect(identity.current.cert).not.toBe(cert);
  });
});

describe('an identity', () => {
  it('is not made of certificates that are wrong, or of files that are not there', () => {
    expect(() => new Identity(filesOf({ ...SERVER, ...EXPIRED }))).toThrow(CertificateError);
    expect(() => new Identity({ ...filesOf(SERVER), caPath: '/nowhere' })).toThrow('ENOENT');
  });
});

describe('a connection that did its handshake and never asked anything', () => {
  it('is let go when the server closes', async () => {
    const { port, app } = await serve();
    const socket = tls.connect({ host: HOST, port, ...shown() });
    await once(socket, 'secureConnect');
    socket.resume();
    await Promise.all([app.close(), once(socket, 'close')]);
    ends.splice(ends.length - 1);
  });
});
