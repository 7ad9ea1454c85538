import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { lastLines, startChild, type Child } from '../stack/child.ts';
import type { Guard } from '../stack/guard.ts';
import { logFile, repoRoot } from '../stack/paths.ts';
import { holdPorts, isFree, portOwner } from '../stack/ports.ts';
import { StackError } from '../stack/types.ts';

/** What runs beside the engines: the simulators, the three services, the worker and the scheduler. */
export const APPS = ['orders', 'payments', 'notifications', 'worker', 'scheduler'] as const;
export type AppName = (typeof APPS)[number];
/** The services that own a database. */
export const WITH_DATABASE: AppName[] = ['orders', 'payments', 'notifications', 'scheduler'];

export type AppPorts = Record<AppName | `${AppName}Metrics` | 'gateway' | 'issuer' | 'traces', number>;
export const FIXED_PORTS: AppPorts = {
  orders: 13001,
  payments: 13002,
  notifications: 13003,
  worker: 13004,
  scheduler: 13005,
  ordersMetrics: 13101,
  paymentsMetrics: 13102,
  notificationsMetrics: 13103,
  workerMetrics: 13104,
  schedulerMetrics: 13105,
  gateway: 14010,
  issuer: 14011,
  traces: 14012,
};

export async function freeAppPorts(): Promise<AppPorts> {
  const { ports, release } = await holdAppPorts();
  await release();
  return ports;
}

/** As `freeAppPorts`; nothing else gets them until `release()`. */
export async function holdAppPorts(): Promise<{ ports: AppPorts; release: () => Promise<void> }> {
  const names = Object.keys(FIXED_PORTS);
  const { ports, release } = await holdPorts(names.length);
  return { ports: Object.fromEntries(names.map((name, i) => [name, ports[i]])) as AppPorts, release };
}

/** @throws StackError naming every port that is taken, and its owner. */
export async function requireFreePorts(ports: AppPorts): Promise<void> {
  const taken: string[] = [];
  for (const [name, port] of Object.entries(ports)) {
    if (await isFree(port)) continue;
    const owner = portOwner(port);
    taken.push(
      `${port}, for ${name}, by ${owner ? `pid ${owner.pid} (${owner.command})` : "another user's process"}`,
    );
  }
  if (taken.length)
    throw new StackError(
      `These ports are taken:\n  ${taken.join('\n  ')}\nStop what holds them and start again.`,
    );
}

/** The environment of each app: everything is attached by URL (factor 4). */
export function appEnvironment(engines: Record<string, string>, ports: AppPorts): Record<string, string> {
  return {
    DEPLOYMENT_ENVIRONMENT: 'development',
    HOST: '127.0.0.1',
    KAFKA_BROKERS: engines['KAFKA_BROKERS']!,
    REDIS_URL: engines['REDIS_URL']!,
    SMTP_URL: engines['SMTP_URL']!,
    S3_ENDPOINT: engines['S3_ENDPOINT']!,
    S3_REGION: engines['S3_REGION']!,
    S3_ACCESS_KEY_ID: engines['S3_ACCESS_KEY_ID']!,
    S3_SECRET_ACCESS_KEY: engines['S3_SECRET_ACCESS_KEY']!,
    JWKS_URL: `http://127.0.0.1:${ports.issuer}/.well-known/jwks.json`,
    JWT_ISSUER: `http://127.0.0.1:${ports.issuer}`,
    PAYMENTS_URL: `http://127.0.0.1:${ports.payments}`,
    GATEWAY_URL: `http://127.0.0.1:${ports.gateway}`,
    GATEWAY_API_KEY: 'gateway-development-key',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.traces}`,
    // Nobody balances load here, so nobody has to notice before the port closes.
    DRAIN_MS: '0',
  };
}

export function databaseUrl(postgresUrl: string, app: AppName): string {
  const url = new URL(postgresUrl);
  url.pathname = `/${app}`;
  return url.toString();
}

export type LaunchOptions = {
  stack: string;
  guard: Guard;
  engines: Record<string, string>;
  ports: AppPorts;
  /** More variables, or other values, for every app. */
  env?: Record<string, string>;
};

/**
 * Starts one app in its role and waits until it is ready. `replica` tells several of one app apart in the logs; `log`
 * names the log file as a whole.
 */
export function startApp(
  app: AppName,
  options: LaunchOptions & { port?: number; replica?: string; log?: string },
): Promise<Child> {
  const port = options.port ?? options.ports[app];
  // Who speaks TLS wants a certificate on its own port, and none beside it.
  const asked = options.env?.['TLS_CERT_PATH'] ? options.ports[`${app}Metrics`] : port;
  return startChild({
    ...command(app, 'all', options),
    name: app,
    guard: options.guard,
    log: logFile(options.stack, options.log ?? (options.replica ? `${app}-${options.replica}` : app)),
    env: {
      ...environment(app, options),
      PORT: String(port),
      METRICS_PORT: String(options.replica ? 0 : options.ports[`${app}Metrics`]),
      ...options.env,
    },
    ready: () => answers(`http://127.0.0.1:${asked}/health/ready`),
  });
}

/** Runs a one-off admin command of an app to its end; rejects with the last lines of its log when it fails. */
export async function runAdmin(app: AppName, task: string, options: LaunchOptions): Promise<void> {
  const log = logFile(options.stack, `${app}-${task}`);
  const child = await startChild({
    ...command(app, task, options),
    name: `${app} ${task}`,
    guard: options.guard,
    log,
    env: environment(app, options),
  });
  const how = await child.exited;
  await child.stop();
  if (how !== 'exit code 0') throw new StackError(`${app} ${task} ended with ${how}:\n${lastLines(log)}`);
}

export function startSimulators({ stack, guard, ports }: LaunchOptions): Promise<Child> {
  return startChild({
    name: 'simulators',
    command: process.execPath,
    args: [join(repoRoot, 'infra/simulators/bundle/main.js')],
    guard,
    log: logFile(stack, 'simulators'),
    env: {
      ...system(),
      GATEWAY_PORT: String(ports.gateway),
      ISSUER_PORT: String(ports.issuer),
      ISSUER_URL: `http://127.0.0.1:${ports.issuer}`,
      TRACES_PORT: String(ports.traces),
      // A restart of the stack must not forget money: orders and payments remember it too.
      GATEWAY_JOURNAL: join(repoRoot, '.stack', stack, 'data/gateway.jsonl'),
      ISSUER_KEY_FILE: join(repoRoot, '.stack', stack, 'data/issuer-key.json'),
    },
    ready: async () =>
      (await answers(`http://127.0.0.1:${ports.gateway}/health`)) &&
      (await answers(`http://127.0.0.1:${ports.issuer}/health`)) &&
      (await answers(`http://127.0.0.1:${ports.traces}/health`)),
  });
}

/** Runs an admin command to its end as an operator does, who looks at what it prints and at its exit code. */
export function askAdmin(app: AppName, args: string[], options: LaunchOptions): Promise<Answer> {
  const { command: program, args: before, cwd } = command(app, args[0]!, options);
  const env = { ...environment(app, options), ...options.env };
  return new Promise((resolve, reject) => {
    execFile(program, [...before, ...args.slice(1)], { cwd, env, timeout: 60_000 }, (error, out, err) => {
      const code = error ? error.code : 0;
      // Not a number when it could not be started or was ended.
      if (typeof code === 'number') resolve({ code, out, err });
      else reject(new StackError(`${app} ${args.join(' ')} did not end by itself:\n${out}${err}`));
    });
  });
}

export type Answer = { code: number; out: string; err: string };

function command(app: AppName, role: string, { stack }: LaunchOptions) {
  // A heap of its own size keeps five processes within the memory that a small machine has.
  const heap = ['--max-old-space-size=128', '--max-semi-space-size=2'];
  const bundle = join(repoRoot, 'apps', app, 'bundle');
  return {
    command: process.execPath,
    args: [...heap, '--import', join(bundle, 'telemetry.js'), join(bundle, 'main.js'), role],
    cwd: join(repoRoot, '.stack', stack),
  };
}

function environment(app: AppName, { engines, ports }: LaunchOptions): Record<string, string> {
  return {
    ...system(),
    ...appEnvironment(engines, ports),
    ...(WITH_DATABASE.includes(app) && { DATABASE_URL: databaseUrl(engines['POSTGRES_URL']!, app) }),
  };
}

/** An app gets its configuration and what the system needs, not whatever else this shell has set. */
function system(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'TZ', 'LOG_LEVEL', 'NODE_EXTRA_CA_CERTS'];
  return {
    NODE_COMPILE_CACHE: join(repoRoot, '.stack/cache/node'),
    ...Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]!]] : []))),
  };
}

export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}
