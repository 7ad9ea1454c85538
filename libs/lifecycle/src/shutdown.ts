import { setTimeout as delay } from 'node:timers/promises';
import type { Health } from './health.ts';

export type ShutdownOptions = {
  health: Health;
  /** How long it goes on serving after readiness turned 503: two probe periods of the balancer. */
  drainMs: number;
  /** After this the process leaves whatever is still open. Default 30 000. */
  deadlineMs?: number;
  /** Stops accepting, finishes what is in hand, and closes clients. */
  close: () => Promise<void>;
  onStep?: (step: 'draining' | 'closing' | 'closed' | 'deadline', signal: string) => void;
};

/**
 * Waits for SIGTERM or SIGINT and then leaves in order: unready, keep serving, stop accepting, finish, close.
 * A second signal, or the deadline, exits at once with 1.
 */
export async function untilSignal({ health, drainMs, deadlineMs = 30_000, close, onStep }: ShutdownOptions) {
  const signal = await nextSignal();
  const leave = (step: 'deadline') => {
    onStep?.(step, signal);
    process.exit(1);
  };
  setTimeout(leave, deadlineMs, 'deadline').unref();
  void nextSignal().then(() => process.exit(1));

  health.drain();
  onStep?.('draining', signal);
  await delay(drainMs);
  onStep?.('closing', signal);
  await close();
  onStep?.('closed', signal);
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    const got = (signal: string) => {
      process.off('SIGTERM', got);
      process.off('SIGINT', got);
      resolve(signal);
    };
    process.on('SIGTERM', got);
    process.on('SIGINT', got);
  });
}
