import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newContext, propagateCorrelation, withContext } from './index.ts';

// Real: Node's own fetch, its pool of connections, and an HTTP server.
const open: Server[] = [];
let end = () => {};
afterEach(() => {
  end();
  for (const server of open.splice(0)) server.close().closeAllConnections();
});

/** Answers with the correlation id that it was sent, after as many turns of the loop as it is told. */
async function echo() {
  const server = createServer((request, response) => {
    const turns = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('turns'));
    const answer = (left: number): unknown =>
      left > 0
        ? setImmediate(answer, left - 1)
        : response.end(JSON.stringify(request.headersDistinct['x-correlation-id'] ?? []));
    answer(turns);
  }).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ask = async (url: string, init?: RequestInit) => (await fetch(url, init)).json();

describe('a request by fetch', () => {
  it('carries the id of the work that makes it, in 50 contexts that interleave on pooled connections', async () => {
    end = propagateCorrelation();
    const url = await echo();
    const works = Array.from({ length: 50 }, (_, i) =>
      withContext(newContext({ correlationId: `context-${i}` }), async () => {
        for (let call = 0; call < 6; call++) {
          expect(await ask(`${url}/?turns=${(i * 7 + call * 3) % 11}`)).toEqual([`context-${i}`]);
        }
      }),
    );
    await Promise.all(works);
  }, 30_000);

  it('carries none outside of any, none twice, and none once it is ended', async () => {
    const stop = propagateCorrelation();
    end = stop;
    const url = await echo();
    expect(await ask(url)).toEqual([]);
    await withContext(newContext({ correlationId: 'context-1' }), async () => {
      expect(await ask(url, { headers: { 'x-correlation-id': 'my-own-id' } })).toEqual(['my-own-id']);
      stop();
      expect(await ask(url)).toEqual([]);
    });
  });

  it('carries it to those only who may know it', async () => {
    const [ours, theirs] = [await echo(), await echo()];
    end = propagateCorrelation({ to: (origin) => origin === ours });
    await withContext(newContext({ correlationId: 'context-1' }), async () => {
      expect(await ask(ours)).toEqual(['context-1']);
      expect(await ask(theirs)).toEqual([]);
    });
  });
});
