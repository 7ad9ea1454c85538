import { Cron } from 'croner';

/** Work that is due again and again. What the work is, is known by whoever listens for it. */
export type Job = { name: string; cron: Cron };

/** @throws when the pattern is not a cron pattern (seconds first, UTC). */
export function job(name: string, pattern: string): Job {
  return { name, cron: new Cron(pattern, { timezone: 'UTC', paused: true }) };
}

export function isCronPattern(pattern: string): boolean {
  try {
    job('check', pattern);
    return true;
  } catch {
    return false;
  }
}

/**
 * The latest tick that is due. Every replica computes the same instant from the pattern, whatever its own clock says
 * to the millisecond, so that the instant can name the run.
 */
export function latestTick({ cron }: Job, now: Date): Date | undefined {
  // Cron counts from the second after its reference; a tick on this very second is due.
  return cron.previousRuns(1, new Date(Math.floor(now.getTime() / 1000) * 1000 + 1000))[0];
}
