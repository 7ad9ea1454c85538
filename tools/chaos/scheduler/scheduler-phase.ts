import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { databaseUrl } from '../../local/apps.ts';
import type { Stage } from '../../local/stage.ts';
import { Executor } from './scheduler-executor.ts';
import { play, type Fault, type Victim } from './scheduler-faults.ts';
import type { Announcement, Circumstances, JobBook } from './scheduler-verdict.ts';
import { Timeline, type Step } from '../load/timeline.ts';

/** Jobs by the policy that they are given here; all are due every second. */
export const JOBS = {
  'expire-unpaid-orders': { policy: 'all', doneBy: ['orders'] },
  'reconcile-payments': { policy: 'once', doneBy: ['payments'] },
  'clean-up': { policy: 'skip', doneBy: ['notifications', 'orders', 'payments'] },
} as const;

export const GRACE_S = 3;
const SETTLE_MS = 40_000;

export type PhaseOptions = {
  faults: Fault[];
  leastTicks: number;
  /** Drops the primary key that elects: for the control without it. */
  dropKey: boolean;
  onProgress: (text: string) => void;
};

export type Phase = Circumstances & {
  books: JobBook[];
  steps: Step[];
  deliveries: number;
  /** Announcements by process. */
  byReplica: Record<string, number>;
};

/** Lets three replicas go through the faults, waits until everything is settled, and reads what happened. */
export async function schedulerPhase(stage: Stage, options: PhaseOptions): Promise<Phase> {
  const url = databaseUrl(stage.launch.engines['POSTGRES_URL']!, 'scheduler');
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  const doneBy = Object.fromEntries(Object.entries(JOBS).map(([job, { doneBy: who }]) => [job, [...who]]));
  const executor = new Executor({
    databaseUrl: url,
    brokers: stage.launch.engines['KAFKA_BROKERS']!.split(','),
    doneBy,
  });
  try {
    await executor.start();
    if (options.dropKey) await db.query('ALTER TABLE job_run DROP CONSTRAINT job_run_pkey CASCADE');
    const names = new Map<string, string>();
    const { steps, downtimes } = await breakThings(stage, options, db, names);
    const untilMs = Math.floor((await nowOf(db)) / 1000) * 1000 - 3000;
    await settled(db, untilMs, options.onProgress, stage.signal);
    const books = await booksOf(db, names);
    const byReplica = Object.fromEntries(Object.keys(stage.processes).map((name) => [name, 0]));
    for (const { replica } of books.flatMap(({ announced }) => announced))
      if (replica in byReplica) byReplica[replica]!++;
    return {
      books,
      steps,
      downtimes,
      untilMs,
      graceMs: GRACE_S * 1000,
      deliveries: executor.deliveries,
      byReplica,
    };
  } finally {
    await executor.stop();
    await db.end();
  }
}

async function breakThings(
  stage: Stage,
  { faults, leastTicks, onProgress }: PhaseOptions,
  db: pg.Client,
  names: Map<string, string>,
) {
  const beganMs = Date.now();
  const timeline = new Timeline(() => Date.now() - beganMs);
  const victims: Victim[] = Object.entries(stage.processes).map(([name, process]) => ({
    process,
    postgres: stage.proxies[name]!.postgres,
  }));
  const note = () => victims.forEach(({ process }) => names.set(String(process.pid), process.name));
  const downtimes: [number, number][] = [];
  note();
  for (const [i, fault] of faults.entries()) {
    await delay(fault.afterMs, undefined, { signal: stage.signal });
    const victim = fault.kind === 'downtime' ? 'all' : victims[fault.replica]!.process.name;
    timeline.mark(victim, fault.kind, `${fault.holdMs} ms`);
    onProgress(`${i + 1}/${faults.length} ${fault.kind} of ${victim}, ${await countOf(db)} runs`);
    const fromMs = Date.now();
    await play(fault, victims, stage.signal);
    if (fault.kind === 'downtime') downtimes.push([fromMs, Date.now()]);
    timeline.mark(victim, 'healed');
    note();
  }
  while (Date.now() - beganMs < leastTicks * 1000) await delay(200, undefined, { signal: stage.signal });
  // What is announced now is dealt with while all is well.
  await delay(3000, undefined, { signal: stage.signal });
  return { steps: timeline.steps, downtimes };
}

async function settled(
  db: pg.Client,
  untilMs: number,
  onProgress: PhaseOptions['onProgress'],
  signal: AbortSignal,
): Promise<void> {
  const end = Date.now() + SETTLE_MS;
  for (;;) {
    const { rows } = await db.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM job_run WHERE state <> 'finished' AND tick <= to_timestamp($1::float8 / 1000)`,
      [untilMs],
    );
    onProgress(`${rows[0]!.open} runs are open`);
    if (rows[0]!.open === 0 || Date.now() > end) return;
    await delay(250, undefined, { signal });
  }
}

async function booksOf(db: pg.Client, names: Map<string, string>): Promise<JobBook[]> {
  const runs = await db.query<{
    job: string;
    tick: Date;
    at: Date;
    replica: string;
    state: string;
    attempts: number;
  }>('SELECT job, tick, claimed_at AS at, replica, state, attempts FROM job_run');
  const effects = await db.query<{ job: string; tick: Date; times: number }>(
    'SELECT job, tick, count(*)::int AS times FROM chaos.effect GROUP BY job, tick',
  );
  const announcementOf = ({ tick, at, replica, state, attempts }: (typeof runs.rows)[0]): Announcement => ({
    ...{ tickMs: tick.getTime(), atMs: at.getTime(), state, attempts },
    replica: names.get(replica.split(':').at(-1)!) ?? replica,
  });
  return Object.entries(JOBS).map(([job, { policy }]) => ({
    job,
    policy,
    announced: runs.rows.filter((run) => run.job === job).map(announcementOf),
    effects: new Map(
      effects.rows.filter((one) => one.job === job).map(({ tick, times }) => [tick.getTime(), times]),
    ),
  }));
}

async function nowOf(db: pg.Client): Promise<number> {
  const { rows } = await db.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]!.now.getTime();
}

async function countOf(db: pg.Client): Promise<number> {
  const { rows } = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM job_run');
  return rows[0]!.count;
}
