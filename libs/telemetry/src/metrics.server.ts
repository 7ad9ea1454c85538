import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a path of the metrics port with `body` as JSON. Default of `status` is 200. */
export type MetricsRoute = (request: IncomingMessage) => Promise<{ status?: number; body: unknown }>;

export type MetricsServerOptions = {
  /** 0 takes any free one. */
  port: number;
  host: string;
  /** Path → what answers it, for instance `/flags` or `/prestop`. */
  routes?: Record<string, MetricsRoute>;
};

export type MetricsServer = { port: number; close(): Promise<void> };

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * A server of its own: it must answer while the main one drains, and no balancer sends anybody to it.
 * @throws Error when it cannot listen, naming the place; its `cause` has the code, `EADDRINUSE` for instance
 */
export async function serveMetrics(
  { port, host, routes = {} }: MetricsServerOptions,
  metrics?: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    answer(request, response, routes, metrics).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await listening(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new Error(`metrics cannot be served on ${host}:${port}: ${cause.code}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Record<string, MetricsRoute>,
  metrics?: () => Promise<string>,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0]!;
  if (metrics && path === '/metrics') {
    response.writeHead(200, { 'content-type': TEXT }).end(await metrics());
    return;
  }
  const route = routes[path];
  if (route) {
    const { status = 200, body } = await route(request);
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    response.writeHead(status, headers).end(JSON.stringify(body));
    return;
  }
  const there = [...(metrics ? ['/metrics'] : []), ...Object.keys(routes)];
  response.writeHead(404, { 'content-type': 'text/plain' }).end(`Not here. There are: ${there.join(' ')}\n`);
}
