import { processRows, treeRss } from '../stack/processes.ts';
import type { Memory } from '../stack/types.ts';
import { FIXED_PORTS } from './apps.ts';
import type { World } from './world.ts';

/** Rows as text, the columns lined up. */
export function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function urlTable(engines: Record<string, string>): string {
  const at = (port: number, path = '') => `http://127.0.0.1:${port}${path}`;
  return table([
    ['orders', at(FIXED_PORTS.orders, '/api/v1/orders'), 'drafts and orders'],
    ['payments', at(FIXED_PORTS.payments, '/api/v1/payments'), 'payments'],
    ['notifications', at(FIXED_PORTS.notifications, '/api/v1/notifications'), 'what was sent'],
    ['gateway', at(FIXED_PORTS.gateway, '/'), 'payment gateway simulator: switch its faults here'],
    ['issuer', at(FIXED_PORTS.issuer, '/'), 'development tokens'],
    ['traces', at(FIXED_PORTS.traces, '/traces'), 'the last traces; npm run demo -- --trace draws one'],
    [
      'metrics',
      at(FIXED_PORTS.ordersMetrics, '/metrics'),
      'of orders; those of the other apps on the next ports',
    ],
    ['mailbox', engines['MAIL_WEB_URL'] ?? '(attached)', 'every e-mail'],
    ['s3', engines['S3_ENDPOINT']!, 'receipts and reports, bucket cairn'],
    [
      'postgres',
      engines['POSTGRES_URL']!.replace(/:[^:@]*@/, ':***@'),
      'orders, payments, notifications, scheduler',
    ],
    ['kafka', engines['KAFKA_BROKERS']!, 'topics orders, payments, receipts, jobs, job-reports'],
    ['redis', engines['REDIS_URL']!, 'drafts'],
  ]);
}

/** Resident memory, engines and apps apart. */
export function memoryTable(engines: Memory[], world: World): string {
  const rows = processRows();
  const apps = [...world.running].map(([name, child]) => ({ name, rssBytes: treeRss(rows, child.pid) }));
  const sum = (part: Memory[]) => part.reduce((total, { rssBytes }) => total + rssBytes, 0);
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const part = (title: string, items: Memory[]) => [
    title,
    mb(sum(items)),
    items.map(({ name, rssBytes }) => `${name} ${mb(rssBytes)}`).join(', '),
  ];
  return table([
    part('engines', engines),
    part('apps', apps),
    ['memory', mb(sum(engines) + sum(apps)), 'resident, engines and apps together'],
  ]);
}
