import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { watchConnections } from './connections.ts';
import { createHttpApp } from './http-app.ts';

/** Real sockets: what the kernel holds for a process can't be seen from a double. */
const CALLERS = 40;
const opened: net.Socket[] = [];
afterEach(() => opened.splice(0).forEach((socket) => socket.destroy()));

function call(port: number): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

async function listening() {
  const server = http.createServer((_, reply) => reply.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, connections: watchConnections(server) };
}

async function silentCaller(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  opened.push(socket);
  await once(socket, 'connect');
  return socket;
}

const all = (count: number, port: number) => Promise.all(Array.from({ length: count }, () => call(port)));
const closed = (server: http.Server) => new Promise((resolve) => server.close(resolve));

describe('connections that wait to be accepted when the server closes', () => {
  it('are accepted and answered once they have settled', async () => {
    const { server, port, connections } = await listening();
    const replies = all(CALLERS, port);
    await connections.settle();
    await Promise.all([closed(server), replies]);
    expect(await replies).toEqual(Array.from({ length: CALLERS }, () => 200));
  });

  it('are reset by a bare close, which is what this is against', async () => {
    const { server, port } = await listening();
    const replies = all(CALLERS, port);
    await closed(server);
    expect((await replies).filter((reply) => reply === 'ECONNRESET' || reply === 'ECONNREFUSED')).not.toEqual(
      [],
    );
  });
});

describe('a connection on which nothing was ever sent', () => {
  it('is let go when the server closes', async () => {
    const { server, port, connections } = await listening();
    const socket = await silentCaller(port);
    await connections.settle();
    await Promise.all([closed(server), once(socket, 'close')]);
  });

  it('is served all the same when it speaks within a second', async () => {
    const { server, port, connections } = await listening();
    const socket = await silentCaller(port);
    const settled = connections.settle();
    socket.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(String(reply)).toContain('200 OK');
    await settled;
    await closed(server);
  });

  it('is not idle to Node, which is why it is let go here', async () => {
    const { server, port } = await listening();
    const socket = await silentCaller(port);
    const over = closed(server).then(() => 'closed');
    server.closeIdleConnections();
    const next = new Promise((resolve) => setImmediate(() => setImmediate(resolve, 'held open')));
    expect(await Promise.race([over, next])).toBe('held open');
    socket.destroy();
    await over;
  });
});

describe('an application of createHttpApp', () => {
  @Controller()
  class Ok {
    @Get() ok() {
      return {};
    }
  }
  class AppModule {}

  it('answers every request that was sent before it closed', async () => {
    const logger = { log: () => {}, warn: () => {}, error: () => {} };
    const module = { module: AppModule, controllers: [Ok] };
    const app = await createHttpApp(module, { logger, onError: () => {} });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const replies = all(CALLERS, port);
    await app.close();
    expect(await replies).toEqual(Array.from({ length: CALLERS }, () => 200));
  });
});
