import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { startBalancer, type BalancerOptions } from './balancer.ts';
import type { UpstreamFailure } from '../load/ledger.ts';

/** Real sockets on both sides: what a balancer does wrong, it does to connections. */
type Tiny = {
  name: string;
  port: number;
  server: http.Server;
  /** What `/health/ready` answers. `silent`: nothing at all. */
  health: number | 'silent';
  seen: http.IncomingMessage[];
  sockets: Set<Socket>;
};

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, tiny: Tiny) => void;
const sayName: Handler = (_, response, { name }) => response.end(name);

async function tinyServer(name: string, handle = sayName): Promise<Tiny> {
  const tiny: Tiny = {
    name,
    port: 0,
    server: http.createServer(),
    health: 200,
    seen: [],
    sockets: new Set(),
  };
  tiny.server.on('connection', (socket: Socket) => tiny.sockets.add(socket));
  tiny.server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    if (request.url === '/health/ready') {
      if (tiny.health !== 'silent') response.writeHead(tiny.health).end();
      return;
    }
    tiny.seen.push(request);
    handle(request, response, tiny);
  });
  tiny.server.listen(0, '127.0.0.1');
  await once(tiny.server, 'listening');
  tiny.port = (tiny.server.address() as AddressInfo).port;
  cleanUp.push(() => {
    tiny.server.close();
    tiny.server.closeAllConnections();
  });
  return tiny;
}

async function balance(replicas: Tiny[], options: Partial<BalancerOptions> = {}) {
  const failures: UpstreamFailure[] = [];
  const balancer = await startBalancer({
    replicas,
    probeMs: 20,
    onFailure: (failure) => failures.push(failure),
    ...options,
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  cleanUp.push(() => balancer.close());
  cleanUp.push(() => agent.destroy());
  for (const { name, health } of replicas) if (health === 200) await balancer.until(name, 'in');
  const call = (path = '/', init: http.RequestOptions & { body?: string } = {}) =>
    request({ port: balancer.port, path, agent, ...init });
  return { ...balancer, failures, call };
}

type Answer = { status?: number; headers: http.IncomingHttpHeaders; text: string; error?: string };

function request({ body, ...options }: http.RequestOptions & { body?: string }): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = http.request({ host: '127.0.0.1', ...options }, (response) => {
      let text = '';
      const answer = () => ({ status: response.statusCode, headers: response.headers, text });
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => resolve({ ...answer(), error: error.message }));
      response.on('end', () => resolve(answer()));
    });
    sent.on('error', (error) => resolve({ headers: {}, text: '', error: error.message }));
    sent.end(body);
  });
}

describe('which replica gets a request', () => {
  it('is each in its turn', async () => {
    const { call } = await balance([await tinyServer('a'), await tinyServer('b')]);
    const names: string[] = [];
    for (let i = 0; i < 4; i++) names.push((await call()).text);
    expect([names.slice(0, 2).sort(), names.slice(2)]).toEqual([['a', 'b'], names.slice(0, 2)]);
  });

  it('follows readiness: out when it says 503, in again when it says 200', async () => {
    const [a, b] = [await tinyServer('a'), await tinyServer('b')];
    const { call, until, isIn } = await balance([a, b]);
    a.health = 503;
    await until('a', 'out');
    expect([isIn('a'), isIn('b')]).toEqual([false, true]);
    expect([(await call()).text, (await call()).text]).toEqual(['b', 'b']);
    a.health = 200;
    await until('a', 'in');
    expect([(await call()).text, (await call()).text].sort()).toEqual(['a', 'b']);
  });

  it('is none that refuses connections', async () => {
    const a = await tinyServer('a');
    const { until } = await balance([a]);
    a.server.close();
    a.server.closeAllConnections();
    await until('a', 'out');
  });

  it('is still one that left a probe unanswered, and not one that left three', async () => {
    const a = await tinyServer('a');
    const { until, call } = await balance([a], { probeTimeoutMs: 400 });
    let probed = 0;
    a.server.on('request', ({ url }: http.IncomingMessage) => void (url === '/health/ready' && probed++));
    a.health = 'silent';
    while (probed < 2) await once(a.server, 'request');
    expect((await call()).status).toBe(200);
    await until('a', 'out');
    expect(probed).toBeGreaterThanOrEqual(3);
  });

  it('is the one that was ready last when none is ready now and it still answers', async () => {
    const [a, b] = [await tinyServer('a'), await tinyServer('b')];
    let open = 0;
    const { call, until } = await balance([a, b], { onOpen: () => open++ });
    a.health = 503;
    await until('a', 'out');
    b.health = 503;
    await until('b', 'out');
    expect([(await call()).text, (await call()).text, open]).toEqual(['b', 'b', 2]);
  });

  it('is none when none has ever been ready: 503', async () => {
    const a = await tinyServer('a');
    a.health = 503;
    const { call } = await balance([a]);
    expect(await call()).toMatchObject({ status: 503, headers: { 'x-replica': 'none' } });
    expect(a.seen).toEqual([]);
  });
});

describe('a request that a replica does not answer', () => {
  it('is sent once: the other replica never sees it', async () => {
    const reset: Handler = (r) => void r.socket.destroy();
    const [a, b] = [await tinyServer('a', reset), await tinyServer('b', reset)];
    const { call, failures } = await balance([a, b]);
    const answer = await call('/orders', { headers: { 'x-correlation-id': 'r-1' } });
    expect(answer).toMatchObject({ status: 502 });
    expect([...a.seen, ...b.seen]).toHaveLength(1);
    expect(failures).toEqual([
      {
        id: 'r-1',
        replica: answer.headers['x-replica'],
        error: 'ECONNRESET',
        during: 'request',
        reusedSocket: false,
      },
    ]);
  });

  it('is not sent again either when its connection had been kept', async () => {
    const first: Handler = (r, response, { seen }) =>
      seen.length > 1 ? r.socket.destroy() : response.end('ok');
    const a = await tinyServer('a', first);
    const { call, failures } = await balance([a]);
    expect((await call()).status).toBe(200);
    expect((await call()).status).toBe(502);
    expect(a.seen).toHaveLength(2);
    expect(failures).toMatchObject([{ reusedSocket: true, error: 'ECONNRESET' }]);
  });

  it('breaks off for the caller too when the reply broke off', async () => {
    const half: Handler = (r, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => r.socket.destroy());
    };
    const { call, failures } = await balance([await tinyServer('a', half)]);
    expect(await call()).toMatchObject({ error: 'aborted', text: 'half' });
    expect(failures).toMatchObject([{ during: 'response' }]);
  });

  it('is given up by the caller: the replica sees that, and it is no failure', async () => {
    const gone = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const a = await tinyServer('a', (_, response) => {
      response.once('close', () => gone.resolve());
      arrived.resolve();
    });
    const { port, failures } = await balance([a]);
    const sent = http.get({ port, host: '127.0.0.1', agent: false });
    sent.on('error', () => undefined);
    await arrived.promise;
    sent.destroy();
    await gone.promise;
    expect(failures).toEqual([]);
  });
});

describe('connections to replicas', () => {
  it('are kept', async () => {
    const a = await tinyServer('a');
    const { call } = await balance([a]);
    for (let i = 0; i < 3; i++) await call();
    expect(new Set(a.seen.map(({ socket }) => socket)).size).toBe(1);
  });

  it('are given up when the replica says Connection: close', async () => {
    const a = await tinyServer(
      'a',
      (_, response) => void response.setHeader('Connection', 'close').end('bye'),
    );
    const { call, failures } = await balance([a]);
    for (let i = 0; i < 3; i++) expect(await call()).toMatchObject({ status: 200, text: 'bye' });
    expect(new Set(a.seen.map(({ socket }) => socket)).size).toBe(3);
    expect(failures).toEqual([]);
  });

  it('are the balancer’s matter: the caller’s connection is kept all the same', async () => {
    const a = await tinyServer(
      'a',
      (_, response) => void response.setHeader('Connection', 'close').end('bye'),
    );
    const { call } = await balance([a]);
    expect((await call()).headers.connection).toBe('keep-alive');
  });
});

describe('what goes through', () => {
  const echo: Handler = (incoming, response) => {
    response.writeHead(201, 'Made', {
      'set-cookie': ['a=1', 'b=2'],
      'x-echo': incoming.headers['x-own'] ?? '',
    });
    incoming.pipe(response);
  };

  it('is method, path, headers and body, and status, headers and body back', async () => {
    const a = await tinyServer('a', echo);
    const { call } = await balance([a]);
    const body = 'x'.repeat(300_000);
    const answer = await call('/a%20b?c=d', { method: 'PUT', headers: { 'x-own': 'mine' }, body });
    expect(a.seen[0]).toMatchObject({ method: 'PUT', url: '/a%20b?c=d' });
    expect(a.seen[0]!.headers).toMatchObject({ 'x-own': 'mine', 'x-forwarded-for': '127.0.0.1' });
    expect(answer).toMatchObject({ status: 201, text: body });
    expect(answer.headers).toMatchObject({
      'set-cookie': ['a=1', 'b=2'],
      'x-echo': 'mine',
      'x-replica': 'a',
    });
  });

  it('is a body without a length, as chunks', async () => {
    const a = await tinyServer('a', echo);
    const { call } = await balance([a]);
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await call('/', { method: 'GET', headers, body: 'chunky' })).text).toBe('chunky');
  });

  it('is nothing that concerns one connection only', async () => {
    const a = await tinyServer('a');
    const { call } = await balance([a]);
    await call('/', { headers: { connection: 'keep-alive, x-hop', 'x-hop': '1', te: 'trailers' } });
    expect(Object.keys(a.seen[0]!.headers)).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(Object.keys(a.seen[0]!.headers)).not.toEqual(expect.arrayContaining(['te']));
  });
});
