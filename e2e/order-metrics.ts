import { readExposition, sumOf, type Family } from '@cairn/tools/observability/exposition.ts';
import { APPS, type AppName, type AppPorts } from '@cairn/tools/local/apps.ts';

/** What each of the five says on its metrics port. */
export type Scrape = Record<AppName, Map<string, Family>>;

export async function scrape(ports: AppPorts): Promise<Scrape> {
  const all = APPS.map(async (app) => {
    const response = await fetch(`http://127.0.0.1:${ports[`${app}Metrics`]}/metrics`);
    if (!response.ok) throw new Error(`${app} answers ${response.status} on its metrics port`);
    return [app, readExposition(await response.text())] as const;
  });
  return Object.fromEntries(await Promise.all(all)) as Scrape;
}

type Move = { app: AppName; metric: string; labels?: Record<string, string>; by: number };

const handled = (app: AppName, topic: string, by = 1): Move => ({
  app,
  metric: 'messaging_process_duration_seconds_count',
  labels: { messaging_destination_name: topic, messaging_consumer_group_name: app },
  by,
});
const called = (app: AppName, pipeline: string): Move => ({
  app,
  metric: 'resilience_calls_total',
  labels: { pipeline, status: 'ok' },
  by: 1,
});

/** What one order moves that is paid at once, and by how much. */
export const MOVES: Move[] = [
  {
    app: 'orders',
    metric: 'http_server_request_duration_seconds_count',
    labels: { http_request_method: 'POST', http_route: '/api/v1/orders', http_response_status_code: '201' },
    by: 1,
  },
  { app: 'orders', metric: 'orders_confirmed_total', by: 1 },
  { app: 'orders', metric: 'orders_settled_total', labels: { state: 'paid' }, by: 1 },
  { app: 'orders', metric: 'orders_settled_total', by: 1 },
  // That it is confirmed, and that it is paid.
  handled('payments', 'orders', 2),
  handled('orders', 'payments'),
  handled('worker', 'orders'),
  handled('notifications', 'receipts'),
  called('worker', 's3'),
  called('notifications', 'smtp'),
  {
    app: 'payments',
    metric: 'http_client_request_duration_seconds_count',
    labels: { http_request_method: 'POST', http_response_status_code: '201' },
    by: 1,
  },
];

/** What did not move as it should have, in words. */
export function notMoved(before: Scrape, after: Scrape): string[] {
  return MOVES.flatMap(({ app, metric, labels = {}, by }) => {
    const moved = sumOf(after[app], metric, labels) - sumOf(before[app], metric, labels);
    return moved === by ? [] : [`${app}: ${metric} ${JSON.stringify(labels)} moved by ${moved}, not ${by}`];
  });
}

/** Whether an order has been through all of it, and so every series has begun. */
export const hasMoved = (now: Scrape) =>
  MOVES.every(({ app, metric, labels, by }) => sumOf(now[app], metric, labels) >= by);

/** Nothing is on its way any more, not even what an earlier test has left. */
export const isIdle = (now: Scrape) =>
  Object.values(now).every((of) => sumOf(of, 'outbox_depth') + sumOf(of, 'messaging_consumer_lag') === 0);
