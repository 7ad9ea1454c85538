import http from 'node:http';

export type Replica = { name: string; port: number };

/** What a probe of `/health/ready` found. `silent`: no answer in time. */
export type ProbeResult = { answer: 'ready' | 'unready' | 'refused' | 'silent'; why: string };

/** As `failureThreshold` of Kubernetes' probes. */
const MOST_SILENT = 3;

/**
 * Which replicas get requests. One is in after one good probe; it is out after one answer that it is not ready, one
 * refused connection, or three probes in a row without an answer: it may be busy, and the others are not less so.
 *
 * When none is in, the one that was ready last and is not gone gets them, as with an ALB and Envoy ("fail open"): one
 * slow check in the only replica that is up must not turn away what that replica could serve.
 */
export class Rotation<T extends Replica> {
  readonly #states: { replica: T; in: boolean; silent: number; readyAt: number; unready: boolean }[];
  #turn = 0;

  constructor(replicas: T[]) {
    this.#states = replicas.map((replica) => ({ replica, in: false, silent: 0, readyAt: 0, unready: false }));
  }

  /** Answers whether that changed anything. `at` rises from probe to probe and is above 0. */
  probed(name: string, { answer }: Pick<ProbeResult, 'answer'>, at: number): boolean {
    const state = this.#states.find(({ replica }) => replica.name === name)!;
    state.silent = answer === 'silent' ? state.silent + 1 : 0;
    if (answer === 'ready') state.readyAt = at;
    if (answer !== 'silent') state.unready = answer === 'unready';
    // Gone, or a new process that has never been ready: nothing to fall back on.
    if (answer === 'refused') state.readyAt = 0;
    const now = answer === 'ready' || (state.in && state.silent > 0 && state.silent < MOST_SILENT);
    const changed = now !== state.in;
    state.in = now;
    return changed;
  }

  isIn(name: string): boolean {
    return this.#states.some((state) => state.in && state.replica.name === name);
  }

  /**
   * Each in its turn; `open` when none is in and the request goes to the one that was ready last. Neither a replica nor
   * `open`: those that could have it have no room now.
   */
  next(hasRoom: (replica: T) => boolean = () => true): { replica?: T; open: boolean } {
    const ready = this.#states.filter((state) => state.in);
    if (ready.length > 0) {
      const free = ready.filter(({ replica }) => hasRoom(replica));
      return { replica: free[this.#turn++ % free.length]?.replica, open: false };
    }
    // One that says nothing is busy; one that says that it is not ready may be about to leave.
    const [last] = this.#states
      .filter(({ readyAt }) => readyAt > 0)
      .sort((a, b) => Number(a.unready) - Number(b.unready) || b.readyAt - a.readyAt);
    return last && !hasRoom(last.replica) ? { open: false } : { replica: last?.replica, open: true };
  }
}

/** Asks `/health/ready` once, on a connection of its own: behind requests it would say nothing of the replica. */
export function probe(port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const late = AbortSignal.timeout(timeoutMs);
    const to = { host: '127.0.0.1', port, path: '/health/ready', agent: false as const };
    const request = http.get({ ...to, signal: AbortSignal.any([signal, late]) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', () => undefined);
      response.on('close', () =>
        resolve({ answer: response.statusCode === 200 ? 'ready' : 'unready', why: text.slice(0, 300) }),
      );
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      late.aborted
        ? resolve({ answer: 'silent', why: `no answer in ${timeoutMs} ms` })
        : resolve({ answer: 'refused', why: error.code ?? error.message }),
    );
  });
}

/** Probes until `signal`, once every `everyMs`. */
export async function probeEvery(
  port: number,
  { everyMs, timeoutMs, signal }: { everyMs: number; timeoutMs: number; signal: AbortSignal },
  tell: (result: ProbeResult) => void,
): Promise<void> {
  while (!signal.aborted) {
    const next = performance.now() + everyMs;
    const result = await probe(port, timeoutMs, signal);
    if (signal.aborted) return;
    tell(result);
    await pause(next - performance.now(), signal);
  }
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
