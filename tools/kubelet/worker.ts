import type { Probe, ProbeKind } from './manifest.ts';

/** What a worker knows about its container. */
export type Verdict = 'unknown' | 'success' | 'failure';

/** One probe's worker, as a value: each step gives the next. */
export type Worker = {
  kind: ProbeKind;
  probe: Probe;
  verdict: Verdict;
  /** The latest result, and how often in a row it came; a new container does not reset it. */
  last: 'success' | 'failure' | undefined;
  run: number;
  /** It has failed for good; nothing is asked until there is a new container. */
  onHold: boolean;
};

/** Before the first result: alive, not ready, and of start-up nothing is known. */
const INITIAL: Record<ProbeKind, Verdict> = { startup: 'unknown', liveness: 'success', readiness: 'failure' };

export function newWorker(kind: ProbeKind, probe: Probe): Worker {
  return { kind, probe, verdict: INITIAL[kind], last: undefined, run: 0, onHold: false };
}

/** There is a new container: results are what they are at first, and probing resumes. */
export function restarted(worker: Worker): Worker {
  return { ...worker, verdict: INITIAL[worker.kind], onHold: false };
}

/** Whether a tick leads to a probe. `runningMs`: for how long the container has been running; `started`: its start-up is over. */
export function asks({ kind, probe, onHold }: Worker, runningMs: number, started: boolean): boolean {
  if (onHold) return false;
  // In whole seconds, as the kubelet compares them.
  if (Math.floor(runningMs / 1000) < probe.initialDelaySeconds) return false;
  return kind === 'startup' ? !started : started;
}

/**
 * A probe has been answered. The verdict changes only when its threshold is reached.
 *
 * Source: doProbe in pkg/kubelet/prober/worker.go of kubernetes/kubernetes.
 */
export function answered(worker: Worker, success: boolean): Worker {
  const { kind, probe, last } = worker;
  const result = success ? 'success' : 'failure';
  const run = last === result ? worker.run + 1 : 1;
  const next = { ...worker, last: result, run } as const;
  if (run < (success ? probe.successThreshold : probe.failureThreshold)) return next;
  const kills = !success && kind !== 'readiness';
  return { ...next, verdict: result, onHold: kills, run: kills ? 0 : run };
}
