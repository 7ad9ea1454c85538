import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { aConfig } from './config.fixture.ts';
import { FilesStore } from './files.store.ts';

/** Real: HTTP, the SDK and the policies around it. Object storage answers by script. */
type Answer = (response: ServerResponse) => void;

const servers: Server[] = [];
const stores: FilesStore[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const refused =
  (status: number, code: string): Answer =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<Error><Code>${code}</Code></Error>`);

async function aStore(answer: Answer, env: Record<string, string> = {}) {
  const hungUp = Promise.withResolvers<void>();
  const seen = { calls: 0, hungUp: hungUp.promise };
  const server = createServer((request, response) => {
    seen.calls += 1;
    response.on('close', () => response.writableFinished || hungUp.resolve());
    request.resume().on('end', () => answer(response));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const S3_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const quick = { S3_RETRY_BASE_MS: '1', S3_RETRY_MAX_MS: '1', S3_BREAKER_MIN_CALLS: '4' };
  const store = new FilesStore(aConfig({ S3_ENDPOINT, ...quick, ...env }));
  stores.push(store);
  return { seen, put: (signal?: AbortSignal) => store.putOnce('k', Buffer.from('x'), 'text/plain', signal) };
}

describe('a file store', () => {
  it('puts again after an outage, and then not at all: the circuit is open and says for how long', async () => {
    const { seen, put } = await aStore(refused(503, 'SlowDown'));
    await expect(put()).rejects.toMatchObject({ code: 'storage_failed', transient: true });
    expect(seen.calls).toBe(3);
    await expect(put()).rejects.toMatchObject({ transient: true });
    await expect(put()).rejects.toMatchObject({
      code: 'circuit_open',
      transient: true,
      retryAfterMs: expect.any(Number),
    });
    expect(seen.calls).toBe(4);
  });

  it('neither repeats what is refused nor counts it: that is no outage', async () => {
    const { seen, put } = await aStore(refused(403, 'AccessDenied'));
    for (let i = 0; i < 9; i++) await expect(put()).rejects.toMatchObject({ transient: false });
    expect(seen.calls).toBe(9);
  });

  it('lets go of a request at once when the process stops', async () => {
    const stopping = new AbortController();
    const { seen, put } = await aStore(() => stopping.abort(new Error('stopping')));
    await expect(put(stopping.signal)).rejects.toMatchObject({ code: 'cancelled', name: 'AbortError' });
    await seen.hungUp;
    expect(seen.calls).toBe(1);
  });

  it('breaks off a request that takes too long', async () => {
    const reached = Promise.withResolvers<void>();
    const { seen, put } = await aStore(() => reached.resolve(), { S3_TIMEOUT_MS: '50', S3_ATTEMPTS: '1' });
    jest.useFakeTimers();
    try {
      const broken = expect(put()).rejects.toMatchObject({ code: 'timeout', transient: true });
      await reached.promise;
      jest.advanceTimersByTime(50);
      await broken;
      await seen.hungUp;
    } finally {
      jest.useRealTimers();
    }
  });
});
