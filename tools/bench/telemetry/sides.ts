import { join } from 'node:path';
import { answers, appEnvironment, databaseUrl, type LaunchOptions } from '../../local/apps.ts';
import { startChild, type Child } from '../../stack/child.ts';
import { logFile, repoRoot } from '../../stack/paths.ts';
import { freePorts } from '../../stack/ports.ts';

/** What is on. */
export const SIDES = ['neither', 'both', 'logging', 'tracing'] as const;
export type Side = (typeof SIDES)[number];

const LOGGING = { on: { LOG_LEVEL: 'info', LOG_FORMAT: 'json' }, off: { LOG_LEVEL: 'silent' } };
const TRACING = {
  on: (endpoint: string) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: '0.1' }),
  off: { OTEL_SDK_DISABLED: 'true' },
};

/** Orders, answering HTTP only, as its image runs it. */
export async function startSide(
  side: Side,
  { stack, guard, engines, ports }: LaunchOptions,
  sink: string,
): Promise<{ child: Child; port: number }> {
  const [port, metricsPort] = await freePorts(2);
  const bundle = join(repoRoot, 'apps/orders/bundle');
  const child = await startChild({
    name: `orders (${side})`,
    command: process.execPath,
    args: ['--import', join(bundle, 'telemetry.js'), join(bundle, 'main.js'), 'serve'],
    guard,
    log: logFile(stack, `orders-${side}`),
    env: {
      PATH: process.env['PATH'],
      ...appEnvironment(engines, ports),
      DATABASE_URL: databaseUrl(engines['POSTGRES_URL']!, 'orders'),
      DATABASE_POOL_MAX: '10',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      ...(side === 'both' || side === 'logging' ? LOGGING.on : LOGGING.off),
      ...(side === 'both' || side === 'tracing' ? TRACING.on(sink) : TRACING.off),
    },
    ready: () => answers(`http://127.0.0.1:${port}/health/ready`),
  });
  return { child, port: port! };
}

const SINK = `
  require('http').createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  }).listen(Number(process.argv[1]), '127.0.0.1');`;

/** An OTLP endpoint that takes everything and keeps nothing. */
export async function startSink({ stack, guard }: LaunchOptions): Promise<{ child: Child; url: string }> {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'sink',
    command: process.execPath,
    args: ['--input-type=commonjs', '-e', SINK, String(port)],
    guard,
    log: logFile(stack, 'otlp-sink'),
    ready: () => answers(url),
  });
  return { child, url };
}
