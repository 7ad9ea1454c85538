import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpstreamFailure } from './ledger.ts';

export type Replica = { name: string; port: number };

export type BalancerOptions = {
  replicas: Replica[];
  /** How often each replica's readiness is asked, in ms. Default 1000. */
  probeMs?: number;
  /** How long an answer to that may take, in ms. Default 1000, as Kubernetes' `timeoutSeconds`. */
  probeTimeoutMs?: number;
  /** How long a connection to a replica may idle before it is closed, in ms. Default 60 000, as is usual. */
  idleMs?: number;
  onChange?: (replica: string, change: 'in' | 'out') => void;
  onFailure?: (failure: UpstreamFailure) => void;
};

export type Balancer = {
  port: number;
  /** The replicas that get requests now. */
  serving(): string[];
  /** Resolves once the replica is in, or out; rejects after `timeoutMs`. */
  until(replica: string, state: 'in' | 'out', timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
};

type State = Replica & { in: boolean };

/** As `failureThreshold` of Kubernetes' probes. */
const MOST_SILENT = 3;

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
  const { replicas, probeMs = 1000, probeTimeoutMs = 1000, idleMs = 60_000, onChange, onFailure } = options;
  const states: State[] = replicas.map((replica) => ({ ...replica, in: false }));
  const agent = new http.Agent({ keepAlive: true, timeout: idleMs });
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const leaving = new AbortController();
  let turn = 0;
  const pick = () => {
    const ready = states.filter((state) => state.in);
    return ready[turn++ % ready.length];
  };
  const server = http.createServer((request, response) =>
    forward({ request, response, agent, replica: pick(), onFailure }),
  );
  // Idle for longer than a caller keeps a connection, or the caller sends into a closed one.
  server.keepAliveTimeout = idleMs + 15_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const probing = states.map((state) =>
    probeFor(state, { probeMs, probeTimeoutMs, signal: leaving.signal }, () => {
      onChange?.(state.name, state.in ? 'in' : 'out');
      changes.emit('change');
    }),
  );
  return {
    port: (server.address() as AddressInfo).port,
    serving: () => states.filter((state) => state.in).map(({ name }) => name),
    until: async (name, wanted, timeoutMs = 30_000) => {
      const state = states.find((one) => one.name === name)!;
      const late = AbortSignal.timeout(timeoutMs);
      while (state.in !== (wanted === 'in'))
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

/**
 * Asks until `signal`, once every `probeMs`. A replica is in after one good answer, out after one bad one or a refused
 * connection, and out after three probes in a row without an answer: it may be busy, and the others are not less so.
 */
async function probeFor(
  state: State,
  { probeMs, probeTimeoutMs, signal }: { probeMs: number; probeTimeoutMs: number; signal: AbortSignal },
  changed: () => void,
): Promise<void> {
  let silent = 0;
  while (!signal.aborted) {
    const next = performance.now() + probeMs;
    const answer = await probe(state.port, probeTimeoutMs, signal);
    if (signal.aborted) return;
    silent = answer === 'silent' ? silent + 1 : 0;
    const ready = answer === 'ready' || (state.in && silent > 0 && silent < MOST_SILENT);
    if (ready !== state.in) {
      state.in = ready;
      changed();
    }
    await pause(next - performance.now(), signal);
  }
}

function probe(
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<'ready' | 'unready' | 'silent'> {
  return new Promise((resolve) => {
    const late = AbortSignal.timeout(timeoutMs);
    // A connection of its own: a probe that waits behind requests would say nothing of the replica.
    const to = { host: '127.0.0.1', port, path: '/health/ready', agent: false as const };
    const request = http.get({ ...to, signal: AbortSignal.any([signal, late]) }, (response) => {
      response.on('error', () => undefined).resume();
      resolve(response.statusCode === 200 ? 'ready' : 'unready');
    });
    request.on('error', () => resolve(late.aborted ? 'silent' : 'unready'));
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done);
  });
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
