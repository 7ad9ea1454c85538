/** A row of HAProxy's statistics (`/;csv`; management guide, 9.1), as far as it is of use here. */
export type EdgeServer = { backend: string; name: string; status: string; chosen: number };
export type EdgeStats = {
  servers: EdgeServer[];
  /** By backend: attempts after one that failed, and how many of them went to another server. */
  retries: Record<string, { retried: number; elsewhere: number }>;
};

/** @throws Error when the text is not a table of HAProxy's. */
export function edgeStats(csv: string): EdgeStats {
  const [header = '', ...lines] = csv.trim().split('\n');
  const names = header.replace(/^# /, '').split(',');
  if (names[0] !== 'pxname') throw new Error(`these are not HAProxy's statistics: ${header.slice(0, 60)}`);
  const rows = lines.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
  });
  const stats: EdgeStats = { servers: [], retries: {} };
  for (const row of rows) {
    const [backend, name] = [row['pxname']!, row['svname']!];
    if (name === 'FRONTEND') continue;
    if (name === 'BACKEND')
      stats.retries[backend] = { retried: Number(row['wretr']), elsewhere: Number(row['wredis']) };
    else stats.servers.push({ backend, name, status: row['status']!, chosen: Number(row['lbtot']) });
  }
  return stats;
}

const isUnasked = ({ backend, name }: EdgeServer) => name.startsWith(`${backend}-unasked-`);

/** How many replicas of a backend are in: have said that they are ready, or are there where nobody asks them. */
export function replicasIn({ servers }: EdgeStats, backend: string): number {
  return servers.filter(
    (server) => server.backend === backend && !isUnasked(server) && /^(UP|no check)/.test(server.status),
  ).length;
}

/** Requests that a backend's replicas got while none was ready. */
export function unasked({ servers }: EdgeStats, backend: string): number {
  return servers
    .filter((server) => server.backend === backend && isUnasked(server))
    .reduce((sum, { chosen }) => sum + chosen, 0);
}
