import { systemClock, type Clock } from './clock.ts';
import type { Health } from './health.ts';

export type PrestopOptions = {
  health: Health;
  /** How long it serves on, unready, before it answers, in ms. The `drainMs` of `runService`. */
  drainMs: number;
  /** With no signal in that time after the answer, the process takes work again, in ms. Default 30,000. */
  resumeAfterMs?: number;
  /** For tests. */
  clock?: Clock;
};

/**
 * What answers `/prestop`, which Kubernetes calls before SIGTERM: the process drains, and the answer comes when it has. The
 * SIGTERM that follows does not wait again. A call that no signal follows was a mistake: the process comes back by itself.
 */
export function prestop({ health, drainMs, resumeAfterMs = 30_000, clock = systemClock }: PrestopOptions) {
  let latest = 0;
  return async (): Promise<{ status: number; body: { drainedMs: number } }> => {
    const call = ++latest;
    health.drain({ forGood: false });
    await clock.sleep(Math.max(0, drainMs - health.drainingMs));
    void clock.sleep(resumeAfterMs, { ref: false }).then(() => {
      if (call === latest) health.resume();
    });
    return { status: 200, body: { drainedMs: Math.round(health.drainingMs) } };
  };
}
