import { connect } from 'node:net';

/**
 * The cheapest question that only a server which is ready answers well. A port that accepts proves little: PostgreSQL
 * accepts while it recovers, Redis while it loads, Kafka before its group coordinator can be found.
 */
export const timeoutMs = 2000;

/** Sends `request`, and answers whether the first bytes of the reply satisfy `accept`; false on any failure. */
function ask(
  port: number,
  request: Buffer | string | undefined,
  accept: (reply: Buffer) => boolean,
  host = '127.0.0.1',
) {
  return new Promise<boolean>((resolve) => {
    const socket = connect({ port, host, timeout: timeoutMs });
    let reply = Buffer.alloc(0);
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => (request === undefined ? undefined : socket.write(request)));
    socket.on('data', (data) => {
      reply = Buffer.concat([reply, data]);
      if (accept(reply)) settle(true);
    });
    for (const event of ['error', 'timeout', 'close'] as const) socket.once(event, () => settle(false));
  });
}

export function tcpAnswers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: timeoutMs });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    for (const event of ['error', 'timeout'] as const) socket.once(event, () => settle(false));
  });
}

/** A start-up packet: 'R' asks for the password, 'E' says "the database system is starting up". */
export function postgresReady(port: number): Promise<boolean> {
  const body = Buffer.from('\0\x03\0\0user\0cairn\0database\0postgres\0\0', 'latin1');
  const packet = Buffer.alloc(4 + body.length);
  packet.writeInt32BE(packet.length);
  body.copy(packet, 4);
  return ask(port, packet, (reply) => reply[0] === 'R'.charCodeAt(0));
}

export const redisReady = (port: number) =>
  ask(port, 'PING\r\n', (reply) => reply.toString().startsWith('+PONG'));
export const smtpReady = (port: number) =>
  ask(port, undefined, (reply) => reply.toString().startsWith('220'));

/**
 * FindCoordinator v1 for a group: it succeeds once the broker can serve consumers, and makes the broker create its
 * offsets topic now instead of at the first consumer's start (about 1 s).
 */
export function kafkaReady(port: number): Promise<boolean> {
  const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)]);
  const findCoordinator = 10;
  const head = Buffer.concat([int16(findCoordinator), int16(1), int32(1), text('cairn-stack')]);
  const body = Buffer.concat([head, text('cairn-stack'), Buffer.from([0])]);
  // reply: size, correlation, throttle (int32 each), error code (int16)
  return ask(
    port,
    Buffer.concat([int32(body.length), body]),
    (reply) => reply.length >= 14 && reply.readInt16BE(12) === 0,
  );
}

export async function httpOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}
