import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Proxy, type Direction } from './proxy.ts';

/** Real sockets on both sides. The engine answers each chunk with itself in capitals. */
let engine: Server;
let got: string;
let engineEnds: string[];
let proxy: Proxy;
let clients: Socket[];

beforeEach(async () => {
  got = '';
  engineEnds = [];
  clients = [];
  engine = createServer((socket) => {
    socket.on('data', (chunk) => {
      got += chunk.toString();
      socket.write(chunk.toString().toUpperCase());
    });
    socket.on('error', ({ message }) => engineEnds.push(message));
    socket.on('end', () => engineEnds.push('end'));
  }).listen(0, '127.0.0.1');
  await once(engine, 'listening');
  proxy = new Proxy({ host: '127.0.0.1', port: (engine.address() as AddressInfo).port, random: () => 0.5 });
  await proxy.pass();
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.refuse();
  await new Promise((resolve) => engine.close(resolve));
});

async function open() {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  const seen = { text: '', ended: undefined as string | undefined };
  socket.on('data', (chunk) => (seen.text += chunk.toString()));
  socket.on('error', ({ message }) => (seen.ended = message));
  socket.on('close', () => (seen.ended ??= 'closed'));
  await once(socket, 'connect');
  return { socket, seen };
}

/** Turns of the event loop until the condition holds; jest's own time-out is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A round trip past the proxy: whatever was due to arrive there has arrived. */
async function settled(): Promise<void> {
  const before = got.length;
  const socket = connect((engine.address() as AddressInfo).port, '127.0.0.1').end('.');
  socket.resume();
  await once(socket, 'close');
  await until(() => got.length > before);
  got = got.replace('.', '');
}

describe('the proxy', () => {
  it('carries bytes both ways and passes on the end of either side', async () => {
    const { socket, seen } = await open();
    socket.write('a');
    await until(() => seen.text === 'A');
    expect(proxy.connections).toBe(1);
    socket.end();
    await until(() => seen.ended === 'closed' && proxy.connections === 0);
    expect(engineEnds).toEqual(['end']);
  });

  it('carries a megabyte of each kind whole', async () => {
    const { socket, seen } = await open();
    proxy.latency(5, 3);
    const text = Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join('');
    socket.write(text);
    await until(() => seen.text.length === text.length);
    expect(seen.text).toBe(text.toUpperCase());
  });

  it('refuses as an engine that has stopped, and is back on the same port', async () => {
    const { port } = proxy;
    const { seen } = await open();
    await proxy.refuse();
    await until(() => seen.ended !== undefined);
    await expect(open()).rejects.toThrow('ECONNREFUSED');
    await proxy.pass();
    expect(proxy.port).toBe(port);
    (await open()).socket.end();
  });

  it('tells a client that the engine is gone by a reset', async () => {
    await new Promise((resolve) => engine.close(resolve));
    const { seen } = await open();
    await until(() => seen.ended !== undefined);
    expect(seen.ended).toContain('ECONNRESET');
  });

  it('carries nothing while it is mute, and what waited once it is not', async () => {
    const { socket, seen } = await open();
    proxy.mute();
    socket.write('a');
    const late = await open();
    late.socket.write('b');
    await settled();
    expect(got).toBe('');
    await proxy.pass();
    await until(() => seen.text === 'A' && late.seen.text === 'B');
  });

  it.each<[Direction, string]>([
    ['request', ''],
    ['response', 'a'],
  ])('cuts the %s alone', async (direction, arrived) => {
    const { socket, seen } = await open();
    proxy.cut(direction);
    socket.write('a');
    await until(() => got === arrived);
    await settled();
    expect([got, seen.text]).toEqual([arrived, '']);
    await proxy.pass();
    await until(() => seen.text === 'A');
  });

  it('is late by the latency in each direction', async () => {
    const { socket, seen } = await open();
    proxy.latency(60);
    const began = performance.now();
    socket.write('a');
    await until(() => seen.text === 'A');
    expect(performance.now() - began).toBeGreaterThanOrEqual(119);
  });

  it('shares out its bytes per second', async () => {
    const { socket, seen } = await open();
    proxy.limit(100_000);
    const began = performance.now();
    socket.write('x'.repeat(10_000));
    await until(() => seen.text.length === 10_000);
    expect(performance.now() - began).toBeGreaterThanOrEqual(195);
    expect(() => proxy.limit(0)).toThrow('bytesPerS must be above 0, got 0');
  });

  it('resets what is open on both sides and takes new connections', async () => {
    const { seen, socket } = await open();
    socket.write('a');
    await until(() => seen.text === 'A');
    proxy.reset();
    await until(() => seen.ended !== undefined && engineEnds.length > 0);
    expect(seen.ended).toContain('ECONNRESET');
    expect(engineEnds[0]).toContain('ECONNRESET');
    const next = await open();
    next.socket.write('b');
    await until(() => next.seen.text === 'B');
  });
});

describe('a tap', () => {
  it('holds a request, which a client that dies has then never sent', async () => {
    proxy.intercept((_, chunk) => (chunk.includes('pay') ? 'hold' : 'forward'));
    const { socket, seen } = await open();
    socket.write('a');
    await until(() => seen.text === 'A');
    socket.write('pay');
    await settled();
    socket.end();
    await until(() => engineEnds.length > 0);
    expect(got).toBe('a');
    expect(engineEnds).toEqual(['end']);
  });

  it('holds the answer to a request that the engine has, for good or until it is released', async () => {
    let release = () => {};
    proxy.intercept((direction, _, connection) => {
      release = connection.release;
      return direction === 'response' ? 'hold' : 'forward';
    });
    const { socket, seen } = await open();
    socket.write('pay');
    await until(() => got === 'pay');
    await settled();
    expect(seen.text).toBe('');
    proxy.intercept(undefined);
    release();
    await until(() => seen.text === 'PAY');
  });

  it('sends other bytes in the place of a chunk', async () => {
    proxy.intercept((direction, chunk) =>
      direction === 'request' ? Buffer.from(chunk.toString().replace('key-1', 'key-number-2')) : 'forward',
    );
    const { socket, seen } = await open();
    socket.write('pay key-1');
    await until(() => seen.text === 'PAY KEY-NUMBER-2');
  });

  it('can reset the one connection that it sees', async () => {
    const other = await open();
    proxy.intercept((direction, chunk, connection) => {
      if (direction === 'request' && chunk.includes('pay')) connection.reset();
      return 'forward';
    });
    const { socket, seen } = await open();
    socket.write('pay');
    await until(() => seen.ended !== undefined);
    expect(got).toBe('');
    other.socket.write('b');
    await until(() => other.seen.text === 'B');
  });
});
