import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Broker } from './broker.kafka.ts';
import { createEvent } from './event.ts';
import { outboxRow } from './outbox.ts';

/** A port that hears what a client says first. What a real broker answers is in the specs that need one. */
let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function firstByteFrom(tls?: boolean): Promise<number> {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const broker = new Broker({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'tls-test',
    ...(tls !== undefined && { tls }),
  });
  // Settles within 2 s, whoever answers.
  const published = Promise.allSettled([broker.publish([row])]);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [data] = (await once(socket, 'data')) as [Buffer];
  // Nobody answers here, so whoever asks again may not wait for an answer.
  server.on('connection', (again: Socket) => again.destroy());
  socket.destroy();
  await published;
  await broker.close();
  return data[0]!;
}

const event = { type: 'a.v1', source: '/a', subject: 'a', data: {}, time: new Date(0) };
const row = outboxRow('a', createEvent(event));

/** RFC 8446, 5.1: the record that a handshake begins with. Kafka's begins with its length, below 16 MB. */
const HANDSHAKE = 22;

describe('a broker', () => {
  it('is reached by TLS when it is told so', async () => {
    expect(await firstByteFrom(true)).toBe(HANDSHAKE);
  });

  it('is reached without it otherwise', async () => {
    expect(await firstByteFrom()).toBe(0);
  });
});
