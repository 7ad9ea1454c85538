import pg from 'pg';

/**
 * Loaded into a scheduler with `--import`, for the negative controls: a driver that leaves one guard out of the statements on
 * their way to PostgreSQL. `CHAOS_WITHOUT` says which.
 */
const GUARDS: Record<string, { of: string; guard: RegExp; instead: () => string }[]> = {
  claim: [
    { of: 'INSERT INTO job_run', guard: /ON CONFLICT DO NOTHING(?= RETURNING job)/, instead: () => '' },
    {
      of: 'INSERT INTO job_run',
      guard:
        /AND \(SELECT max\(tick\) FROM job_run WHERE job = \$1\) IS NOT DISTINCT FROM (\$\d)::timestamptz/,
      instead: () => 'AND ($1::timestamptz IS NULL OR true)',
    },
  ],
  'database-clock': [
    {
      of: 'FROM unnest($1::text[]) AS job (name)',
      guard: /clock_timestamp\(\)(?= AS now)/,
      instead: () => `'${new Date().toISOString()}'::timestamptz`,
    },
    {
      of: 'INSERT INTO job_run',
      guard: /(\$\d)::timestamptz > clock_timestamp\(\) - interval '[^']*'/,
      instead: () => '$1::timestamptz IS NOT NULL',
    },
  ],
};

const without = process.env['CHAOS_WITHOUT'] ?? '';
const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;

pg.Client.prototype.query = function naive(this: pg.Client, ...args: unknown[]) {
  const [first, ...rest] = args;
  return query.call(this, typeof first === 'string' ? leftOut(first) : first, ...rest);
} as typeof pg.Client.prototype.query;

function leftOut(sql: string): string {
  let naive = sql;
  for (const { of, guard, instead } of GUARDS[without] ?? []) {
    if (!sql.includes(of)) continue;
    const found = guard.exec(naive);
    // Else the control would go on to show that nothing is wrong without a guard that is still there.
    if (!found)
      throw new Error(`the statement has no ${guard} to leave out: bring scheduler-naive.ts up to date`);
    naive = naive.replace(guard, () => instead().replace('$1', found[1] ?? '$1'));
  }
  return naive;
}
