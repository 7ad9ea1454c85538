/** What one check found. Whatever else it carries (`lag`, `message`) is shown as it is. */
export type Finding = { status: 'up' | 'degraded' | 'down'; message?: string; [detail: string]: unknown };
export type Findings = Record<string, Finding>;

export type HealthStatus = 'ok' | 'degraded' | 'error' | 'shutting_down';

/** The answer to a probe, in the format of @nestjs/terminus. */
export type HealthReport = {
  status: HealthStatus;
  /** What is up or degraded. */
  info: Findings;
  /** What is down and critical. */
  error: Findings;
  /** All of it. */
  details: Findings;
};

/** The report on these findings: one that is down makes it `error`, one that is degraded `degraded`. */
export function reportOf(details: Findings, shuttingDown = false): HealthReport {
  const entries = Object.entries(details);
  const info = Object.fromEntries(entries.filter(([, { status }]) => status !== 'down'));
  const error = Object.fromEntries(entries.filter(([, { status }]) => status === 'down'));
  return {
    status: shuttingDown ? 'shutting_down' : statusOf(entries.map(([, f]) => f)),
    info,
    error,
    details,
  };
}

function statusOf(findings: Finding[]): HealthStatus {
  if (findings.some(({ status }) => status === 'down')) return 'error';
  return findings.some(({ status }) => status === 'degraded') ? 'degraded' : 'ok';
}

/** The HTTP status of a report: 200 for `ok` and `degraded`, otherwise 503. */
export function httpStatusOf({ status }: Pick<HealthReport, 'status'>): 200 | 503 {
  return status === 'ok' || status === 'degraded' ? 200 : 503;
}
