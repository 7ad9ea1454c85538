import http from 'node:http';
import { Arrivals } from './arrivals.ts';
import type { Outcome } from './ledger.ts';
import type { PlannedRequest, RequestPlan } from './requests.ts';

const TIMEOUT_MS = 10_000;

export type LoadOptions = {
  port: number;
  token: string;
  ratePerS: number;
  random: () => number;
  plan: RequestPlan;
  /** Says whether the outcome was the one expected. */
  record: (outcome: Outcome) => boolean;
  nowMs: () => number;
};

/**
 * Sends what the plan says at the times that `Arrivals` says, over keep-alive connections, and never anything twice.
 * Answers how to stop: no more is sent, and what is under way gets its reply or its time-out.
 */
export function startLoad(options: LoadOptions): { inFlight(): number; stop(): Promise<void> } {
  const { plan, record, nowMs } = options;
  const began = nowMs();
  const arrivals = new Arrivals(options.ratePerS, options.random);
  // As many connections as the load asks for: a queue for connections in the caller would close the loop.
  const agent = new http.Agent({ keepAlive: true, timeout: 60_000, maxSockets: 256 });
  const sending = new Set<Promise<void>>();
  const fire = async (atMs: number) => {
    const request = plan.next();
    const lateMs = nowMs() - atMs;
    const reply = await send(request, agent, options);
    const { text, ...rest } = reply;
    if (record({ request, atMs, tookMs: nowMs() - atMs, lateMs, ...rest })) plan.answered(request, text);
  };
  let timer: NodeJS.Timeout;
  const tick = () => {
    for (const atMs of arrivals.due(nowMs() - began)) {
      const one = fire(began + atMs).finally(() => sending.delete(one));
      sending.add(one);
    }
    timer = setTimeout(tick, Math.max(0, arrivals.nextMs - (nowMs() - began)));
  };
  tick();
  return {
    inFlight: () => sending.size,
    stop: async () => {
      clearTimeout(timer);
      await Promise.all(sending);
      agent.destroy();
    },
  };
}

type Reply = Pick<Outcome, 'status' | 'error' | 'replica'> & { text: string };

/** Never rejects: whatever breaks is the outcome. */
function send(planned: PlannedRequest, agent: http.Agent, { port, token }: LoadOptions): Promise<Reply> {
  const { id, method, path, key, body } = planned;
  return new Promise((resolve) => {
    let seen: Omit<Reply, 'text'> = {};
    let text = '';
    const broke = (error: NodeJS.ErrnoException) => resolve({ ...seen, text, error: reason(error) });
    const headers = {
      authorization: `Bearer ${token}`,
      'x-correlation-id': id,
      ...(key && { 'idempotency-key': key }),
      ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent, signal });
    request.on('error', broke);
    request.once('response', (response) => {
      seen = { status: response.statusCode, replica: response.headers['x-replica'] as string | undefined };
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', broke).once('end', () => resolve({ ...seen, text }));
    });
    request.end(body);
  });
}

const reason = (error: NodeJS.ErrnoException) =>
  error.name === 'AbortError' ? `no reply within ${TIMEOUT_MS} ms` : (error.code ?? error.message);
