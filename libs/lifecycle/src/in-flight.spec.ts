import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Health, InFlight } from './index.ts';

// Real: Fastify and connections.
let server: FastifyInstance;
let inFlight: InFlight;
let health: Health;
let answer: (body: string) => void;
let arrived: Promise<void>;
const agent = new Agent({ keepAlive: true });

beforeEach(async () => {
  server = fastify({ forceCloseConnections: true });
  inFlight = new InFlight();
  health = new Health();
  inFlight.hooks(server as never, health);
  let arrive = () => {};
  arrived = new Promise((resolve) => (arrive = resolve));
  server.get('/slow', () => {
    arrive();
    return new Promise((resolve) => (answer = resolve));
  });
  server.get('/quick', async () => 'done');
  await server.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(async () => {
  agent.destroy();
  await server.close();
});

function ask(path: string) {
  const { port } = server.server.address() as AddressInfo;
  const request = get({ port, host: '127.0.0.1', path, agent });
  const response = once(request, 'response').then(([message]) => {
    (message as IncomingMessage).resume();
    return message as IncomingMessage;
  });
  return { request, response };
}

describe('InFlight', () => {
  it('counts requests from their arrival to the end of their answer', async () => {
    const { response } = ask('/slow');
    await arrived;
    expect(inFlight.count).toBe(1);
    const idle = inFlight.idle();
    answer('done');
    await Promise.all([idle, response]);
    expect(inFlight.count).toBe(0);
  });

  it('does not count on when the client goes away', async () => {
    const { request, response } = ask('/slow');
    response.catch(() => undefined);
    await arrived;
    const idle = inFlight.idle();
    request.destroy();
    await idle;
    expect(inFlight.count).toBe(0);
  });

  it('closes connections while the process drains, also of requests that came before', async () => {
    const before = await ask('/quick').response;
    expect(before.headers.connection).toBe('keep-alive');
    const { response } = ask('/slow');
    await arrived;
    health.drain();
    answer('done');
    expect((await response).headers.connection).toBe('close');
    expect((await ask('/quick').response).headers.connection).toBe('close');
  });

  it('counts an end once', () => {
    const end = inFlight.begin();
    inFlight.begin();
    end();
    end();
    expect(inFlight.count).toBe(1);
  });
});
