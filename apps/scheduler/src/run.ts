import { parseArgs } from 'node:util';
import { z } from 'zod';

/** A tick names its run. */
export type RunName = { job: string; tick: Date };

/** What a service reports once it has done a job, or failed at it. Only the fields that the scheduler reads. */
export const finishedJob = z.object({
  job: z.string(),
  tick: z.iso.datetime(),
  attempt: z.number().int().min(1),
  service: z.string(),
  outcome: z.enum(['done', 'failed']),
  tookMs: z.number().int().min(0),
  result: z.unknown().optional(),
  error: z.string().optional(),
});
export type FinishedJob = z.infer<typeof finishedJob>;

export type Report = {
  service: string;
  outcome: 'done' | 'failed';
  attempt: number;
  tookMs: number;
  result: unknown;
  error: string | null;
  /** By the database's clock. */
  receivedAt: string;
};

export type Run = RunName & {
  state: 'announced' | 'finished' | 'failed';
  attempts: number;
  /** Which replica announced it first. */
  replica: string;
  doneBy: string[];
  reports: Report[];
};

/** One line per run: when it was due, how far it is, and what each service says of it. */
export function runRows(runs: Run[]): string[][] {
  const head = ['tick', 'job', 'state', 'attempts', 'announced by', 'reports'];
  return [
    head,
    ...runs.map((run) => [
      run.tick.toISOString(),
      run.job,
      run.state,
      String(run.attempts),
      run.replica,
      [...run.reports.map(toldBy), ...silent(run)].join('; '),
    ]),
  ];
}

function toldBy({ service, outcome, tookMs, result, error, receivedAt }: Report): string {
  const at = new Date(receivedAt).toISOString().slice(11, 23);
  const what =
    outcome === 'failed' ? `failed: ${error}` : result == null ? 'done' : `done ${JSON.stringify(result)}`;
  return `${service} ${what} in ${tookMs} ms at ${at}`;
}

function silent({ doneBy, reports }: Run): string[] {
  const told = new Set(reports.map(({ service }) => service));
  return doneBy.filter((service) => !told.has(service)).map((service) => `${service} has not reported`);
}

export type RunsQuery = { job?: string | undefined; limit: number };

export const RUNS_USAGE = 'runs [--job <name>] [--limit <1 to 1000>]';

/** @throws RangeError, or TypeError of `parseArgs`, for a command line that it does not understand */
export function runsQueryOf(args: string[]): RunsQuery {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { job: text, limit: text } });
  const limit = Number(values.limit ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new RangeError(`--limit must be a whole number from 1 to 1000, got ${values.limit}`);
  return { job: values.job, limit };
}

/** Rows as lines of text, the columns lined up. */
export function aligned(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
