import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpstreamFailure } from '../load/ledger.ts';
import { probeEvery, Rotation, type Replica } from './readiness.ts';

export type { Replica } from './readiness.ts';

export type BalancerOptions = {
  replicas: Replica[];
  /** How often each replica's readiness is asked, in ms. Default 1000. */
  probeMs?: number;
  /** How long an answer to that may take, in ms. Default 1000, as Kubernetes' `timeoutSeconds`. */
  probeTimeoutMs?: number;
  /** How long a connection to a replica may idle before it is closed, in ms. Default 60 000, as is usual. */
  idleMs?: number;
  /** `why`: what the probe was answered. */
  onChange?: (replica: string, change: 'in' | 'out', why: string) => void;
  /** A request goes to a replica although none is in. */
  onOpen?: () => void;
  onFailure?: (failure: UpstreamFailure) => void;
};

export type Balancer = {
  port: number;
  /** Whether it gets requests in its turn. */
  isIn(replica: string): boolean;
  /** Resolves once the replica is in, or out; rejects after `timeoutMs`. */
  until(replica: string, state: 'in' | 'out', timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
};

/**
 * Requests at a replica at a time; beyond that they wait here, and go to whoever has room first: not to one that has left in the
 * meantime. Node accepts one connection per turn of its event loop (libuv/libuv#3696): a busy replica that is offered hundreds
 * of new ones answers all of them late.
 */
const MOST_AT_A_TIME = 64;

/** Headers that concern one connection (RFC 9110, 7.6.1); `expect` was answered by us. */
const HOP_BY_HOP = [
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * A balancer as small as can be while it does what real ones do: it follows readiness, keeps connections to replicas
 * open, and goes round. It never sends a request twice, since that would hide what the replicas do wrong.
 */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { replicas, probeMs = 1000, probeTimeoutMs = 1000, idleMs = 60_000, onFailure } = options;
  const rotation = new Rotation(replicas);
  const agent = new http.Agent({ keepAlive: true, timeout: idleMs });
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const leaving = new AbortController();
  const underWay = new Map(replicas.map((replica) => [replica, 0]));
  const hasRoom = (replica: Replica) => underWay.get(replica)! < MOST_AT_A_TIME;
  const waiting: Pick<Exchange, 'request' | 'response'>[] = [];
  const dispatch = () => {
    for (let first = waiting[0]; first; first = waiting[0]) {
      const { replica, open } = rotation.next(hasRoom);
      if (!replica && !open) return;
      waiting.shift();
      if (first.response.destroyed) continue;
      if (replica && open) options.onOpen?.();
      if (replica) occupy(replica, first.response);
      forward({ ...first, agent, replica, onFailure });
    }
  };
  const occupy = (replica: Replica, response: http.ServerResponse) => {
    underWay.set(replica, underWay.get(replica)! + 1);
    response.once('close', () => {
      underWay.set(replica, underWay.get(replica)! - 1);
      dispatch();
    });
  };
  const server = http.createServer((request, response) => {
    waiting.push({ request, response });
    dispatch();
  });
  // Idle for longer than a caller keeps a connection, or the caller sends into a closed one.
  server.keepAliveTimeout = idleMs + 15_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const how = { everyMs: probeMs, timeoutMs: probeTimeoutMs, signal: leaving.signal };
  const probing = replicas.map(({ name, port }) =>
    probeEvery(port, how, (result) => {
      if (!rotation.probed(name, result, performance.now())) return;
      options.onChange?.(name, rotation.isIn(name) ? 'in' : 'out', result.why);
      changes.emit('change');
      dispatch();
    }),
  );
  return {
    port: (server.address() as AddressInfo).port,
    isIn: (name) => rotation.isIn(name),
    until: async (name, wanted, timeoutMs = 30_000) => {
      const late = AbortSignal.timeout(timeoutMs);
      while (rotation.isIn(name) !== (wanted === 'in'))
        await once(changes, 'change', { signal: late }).catch(() => {
          throw new Error(`${name} was not ${wanted} within ${timeoutMs} ms`);
        });
    },
    close: async () => {
      leaving.abort();
      await Promise.all(probing);
      agent.destroy();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Exchange = {
  request: http.IncomingMessage;
  response: http.ServerResponse;
  agent: http.Agent;
  replica: Replica | undefined;
  onFailure?: (failure: UpstreamFailure) => void;
};

function forward({ request, response, agent, replica, onFailure }: Exchange): void {
  if (!replica) return refuse(response, 503, 'no replica is ready', 'none');
  let answered = false;
  let over = false;
  const headers = [...endToEnd(request), 'X-Forwarded-For', request.socket.remoteAddress ?? ''];
  if (request.headers['transfer-encoding']) headers.push('Transfer-Encoding', 'chunked');
  const { method, url: path } = request;
  const upstream = http.request({ host: '127.0.0.1', port: replica.port, method, path, headers, agent });
  const failed = (error: NodeJS.ErrnoException) => {
    if (over) return;
    over = true;
    onFailure?.({
      id: String(request.headers['x-correlation-id'] ?? ''),
      replica: replica.name,
      error: error.code ?? error.message,
      during: answered ? 'response' : 'request',
      reusedSocket: upstream.reusedSocket,
    });
    request.unpipe(upstream).resume();
    if (response.headersSent) response.destroy();
    else refuse(response, 502, `${replica.name}: ${error.code ?? error.message}`, replica.name);
  };
  upstream.on('error', failed);
  upstream.once('response', (answer) => {
    answered = true;
    answer.on('error', failed);
    const named = [...endToEnd(answer), 'X-Replica', replica.name];
    response.writeHead(answer.statusCode!, answer.statusMessage, named);
    answer.pipe(response);
  });
  // The caller gave up: so do we, and it is no failure of the replica.
  response.once('close', () => {
    if (response.writableFinished || over) return;
    over = true;
    upstream.destroy();
  });
  request.pipe(upstream);
}

function refuse(response: http.ServerResponse, status: number, detail: string, replica: string): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json', 'X-Replica': replica });
  response.end(JSON.stringify({ title: http.STATUS_CODES[status], status, detail }));
}

/** The headers that go on, as a flat list: names keep their letters, and repeated ones stay repeated. */
function endToEnd({ rawHeaders, headers }: http.IncomingMessage): string[] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!dropped.has(rawHeaders[i]!.toLowerCase())) kept.push(rawHeaders[i]!, rawHeaders[i + 1]!);
  return kept;
}
