import { afterEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { captured } from './logger.fixture.ts';
import { currentContext, httpHooks } from './index.ts';

// Real: Fastify, sockets.
const servers: FastifyInstance[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function served(routes: (server: FastifyInstance) => void, before?: (server: FastifyInstance) => void) {
  const logs = captured();
  const server = fastify();
  servers.push(server);
  before?.(server);
  httpHooks(server, logs.logger);
  routes(server);
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  return { ...logs, server, port, url: `http://127.0.0.1:${port}` };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const idsOf = (lines: string[]) =>
  lines.map((line) => (JSON.parse(line) as { correlation_id: string }).correlation_id);

describe('a request', () => {
  it('is one line with method, route, status and duration, under its correlation id', async () => {
    const { url, lines, last } = await served((server) => server.get('/orders/:id', () => ({ ok: true })));
    const { headers } = await fetch(`${url}/orders/42?token=canary`, {
      headers: { 'X-Correlation-ID': 'checkout-42' },
    });
    await until(() => lines.length > 0);
    expect(headers.get('x-correlation-id')).toBe('checkout-42');
    expect(last()).toEqual({
      severity: 'info',
      time: expect.any(String),
      'service.name': 'orders',
      correlation_id: 'checkout-42',
      event: 'http_request',
      method: 'GET',
      route: '/orders/:id',
      status: 200,
      duration_ms: expect.any(Number),
    });
  });

  it.each([
    ['/fails', 500, 'error', '/fails'],
    ['/refuses', 422, 'info', '/refuses'],
    ['/nowhere/canary', 404, 'info', '(none)'],
  ])('to %s, which is a %i, is logged as %s', async (path, status, severity, route) => {
    const { url, lines, last } = await served((server) => {
      server.get('/fails', () => Promise.reject(new Error('x')));
      server.get('/refuses', (_, reply) => reply.code(422).send());
    });
    await fetch(`${url}${path}`);
    await until(() => lines.length > 0);
    expect(last()).toMatchObject({ severity, route, status });
  });

  it('gets a new id for one that is not well formed or a secret, which is not echoed', async () => {
    const { url } = await served((server) => server.get('/', () => 'x'));
    for (const id of ['4111111111111111', 'short', 'a b c d e f g h']) {
      const { headers } = await fetch(url, { headers: { 'X-Correlation-ID': id } });
      expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('keeps its context after a body that came in pieces, and that of tracing around it', async () => {
    const tracing = new AsyncLocalStorage<string>();
    let asked = 0;
    const { port, lines } = await served(
      (server) => server.post('/', () => [currentContext()?.correlationId, tracing.getStore()]),
      (server) =>
        server.addHook('onRequest', (request, _, done) => {
          asked++;
          tracing.run(String(request.headers['x-n']), done);
        }),
    );
    // Two requests on one connection; what is left of a body comes when its request has been begun.
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    socket.on('data', (data) => (answer += String(data)));
    for (const n of [1, 2]) {
      socket.write(
        `POST / HTTP/1.1\r\nHost: x\r\nX-N: n${n}\r\nX-Correlation-ID: request-${n}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 4\r\n\r\n1',
      );
      await until(() => asked === n);
      socket.write('111');
      await until(() => answer.includes(`["request-${n}","n${n}"]`) || answer.includes('[null'));
      expect(answer).toContain(`["request-${n}","n${n}"]`);
    }
    await until(() => lines.length === 2);
    socket.destroy();
    expect(idsOf(lines)).toEqual(['request-1', 'request-2']);
  });

  it('has its own id on its line, however answers on one connection wait for each other', async () => {
    let answerSlow = () => {};
    const { port, lines } = await served((server) => {
      server.get('/slow', () => new Promise<string>((resolve) => (answerSlow = () => resolve('slow'))));
      server.get('/fast', () => setImmediate(() => answerSlow()) && 'fast');
    });
    const socket = connect(port, '127.0.0.1');
    const get = (path: string, id: string) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: ${id}\r\n\r\n`;
    socket.write(get('/slow', 'request-1') + get('/fast', 'request-2'));
    await until(() => lines.length === 2);
    socket.destroy();
    expect(idsOf(lines)).toEqual(['request-1', 'request-2']);
  });

  it.each([
    ['before its body is complete', 'Content-Length: 100\r\n\r\n{'],
    ['while it waits', 'Content-Length: 2\r\n\r\n{}'],
  ])('whose client goes away %s is one line too', async (_, rest) => {
    let asked = 0;
    const { port, lines, last } = await served((server) => {
      server.addHook('onRequest', (_request, _reply, done) => {
        asked++;
        done();
      });
      server.post('/slow/:id', () => new Promise(() => {}));
    });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /slow/1 HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: gone-away\r\nContent-Type: application/json\r\n${rest}`,
    );
    await until(() => asked === 1);
    socket.destroy();
    await until(() => lines.length > 0);
    expect(lines).toHaveLength(1);
    expect(last()).toMatchObject({
      severity: 'info',
      event: 'http_request_aborted',
      method: 'POST',
      route: '/slow/:id',
      correlation_id: 'gone-away',
      duration_ms: expect.any(Number),
    });
  });
});

describe('a probe', () => {
  it('is silent, but for when it begins to fail and when it is well again', async () => {
    let status = 200;
    const { server, parsed } = await served((server) =>
      server.get('/health/ready', (_, reply) => reply.code(status).send()),
    );
    for (status of [200, 200, 503, 503, 503, 200, 200]) await server.inject('/health/ready');
    expect(parsed()).toMatchObject([
      { severity: 'warn', route: '/health/ready', status: 503 },
      { severity: 'info', route: '/health/ready', status: 200 },
    ]);
  });

  it('is any route that is said to be one', async () => {
    const logs = captured();
    const server = fastify();
    servers.push(server);
    httpHooks(server, logs.logger, { mute: ['/metrics'] });
    server.get('/metrics', () => 'x').get('/health/ready', () => 'x');
    await server.inject('/metrics');
    await server.inject('/health/ready');
    expect(logs.parsed()).toMatchObject([{ route: '/health/ready' }]);
  });
});
