import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The control of the ledger: a gateway that is asked under a new key for every attempt, as by a client that takes the key
 * from the attempt and not from the payment. Passes everything else on as it is, to where it was led.
 */
export async function startForgetfulGateway() {
  let target = '';
  const server = createServer((request, reply) => {
    void pass(target, request, reply).catch((error: Error) => reply.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** `url` is that of the real gateway. */
    lead: (url: string) => {
      target = url;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function pass(target: string, request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method = 'GET', url = '/', headers } = request;
  const charges = method === 'POST' && url.startsWith('/v1/charges');
  const leaving = new AbortController();
  reply.once('close', () => leaving.abort());
  const answer = await fetch(target + url, {
    method,
    signal: leaving.signal,
    headers: {
      ...(headers.authorization && { authorization: headers.authorization }),
      ...(headers['content-type'] && { 'content-type': headers['content-type'] }),
      ...(headers['idempotency-key'] && {
        'idempotency-key': charges ? randomUUID() : String(headers['idempotency-key']),
      }),
    },
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  reply.writeHead(answer.status, {
    'content-type': answer.headers.get('content-type') ?? 'application/json',
  });
  reply.end(body);
}
