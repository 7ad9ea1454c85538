import { Cron } from 'croner';

/**
 * What becomes of ticks that nobody announced in time, because no replica ran or the database was away:
 * - `skip`: those older than the grace are left out;
 * - `once`: the latest is announced, for all of them;
 * - `all`: each is announced, oldest first.
 */
export const MISSED = ['skip', 'once', 'all'] as const;
export type Missed = (typeof MISSED)[number];

/** Work that is due again and again. What the work is, is known by the services that do it. */
export type Job = {
  name: string;
  cron: Cron;
  missed: Missed;
  /** The services that have to report that it is done. */
  doneBy: string[];
};

/** Most ticks that `all` makes up for: the latest ones. */
export const MOST_MISSED = 100;

/** @throws when the pattern is not a cron pattern (seconds first, UTC). */
export function job(
  name: string,
  pattern: string,
  { missed = 'once', doneBy = [] }: { missed?: Missed; doneBy?: string[] } = {},
): Job {
  return { name, cron: new Cron(pattern, { timezone: 'UTC', paused: true }), missed, doneBy };
}

export function isCronPattern(pattern: string): boolean {
  try {
    job('check', pattern);
    return true;
  } catch {
    return false;
  }
}

export type Facts = {
  /** The database's clock, which all replicas share. */
  now: Date;
  /** The last tick that was announced; undefined for a job that never was. */
  last?: Date | undefined;
  /** How old a tick of a job with `skip` may be. In ms. */
  graceMs: number;
};

/**
 * The ticks to announce now, oldest first, and how many were passed over (counted up to `MOST_MISSED` back). A job that was
 * never announced has missed nothing: it begins with its latest tick, if that is younger than the grace.
 */
export function dueTicks({ cron, missed }: Job, { now, last, graceMs }: Facts) {
  const isYoung = (tick: Date) => now.getTime() - tick.getTime() <= graceMs;
  const latest = ticksBefore(cron, now, 1);
  if (!last) return { ticks: latest.filter(isYoung), passedOver: 0 };
  const isNew = (tick: Date) => tick > last;
  if (!latest.some(isNew)) return { ticks: [], passedOver: 0 };
  const open = ticksBefore(cron, now, MOST_MISSED + 1).filter(isNew);
  const due = { skip: open.filter(isYoung), once: latest, all: open.slice(0, MOST_MISSED) }[missed];
  return { ticks: due.toReversed(), passedOver: open.length - due.length };
}

/**
 * The latest first. Every replica computes the same instants from the pattern, so that the instant can name the run.
 * Cron counts from the second after its reference; a tick on this very second is due.
 */
function ticksBefore(cron: Cron, now: Date, count: number): Date[] {
  return cron.previousRuns(count, new Date(Math.floor(now.getTime() / 1000) * 1000 + 1000));
}
