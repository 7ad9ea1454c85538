import { Proxy } from '../chaos/wire/proxy.ts';
import { hostAndPort, urlVariables } from '../stack/decide.ts';
import { holdPorts } from '../stack/ports.ts';
import type { EngineName, KafkaListener } from '../stack/types.ts';
import { databaseUrl, type AppName, type AppPorts } from './apps.ts';

/** What stands between one process and each thing that it is attached to. */
export type AppProxies = Record<EngineName | 'gateway', Proxy>;

/** Kafka advertises the ports of its proxies, so those are opened before the broker is. */
export async function openKafkaDoors(processes: readonly string[]) {
  const { ports, release } = await holdPorts(processes.length);
  const doors: Record<string, Proxy> = {};
  const listeners: KafkaListener[] = [];
  for (const [i, process] of processes.entries()) {
    const proxy = new Proxy({ host: '127.0.0.1', port: ports[i]! });
    await proxy.pass();
    doors[process] = proxy;
    const name = process.toUpperCase().replaceAll('-', '_');
    listeners.push({ name, port: ports[i]!, advertisedPort: proxy.port });
  }
  await release();
  return { doors, listeners };
}

/** A proxy to each engine and to the gateway; `kafka` is open already. */
export async function openProxies(
  kafka: Proxy,
  engines: Record<string, string>,
  ports: AppPorts,
): Promise<AppProxies> {
  const to = async (target: { host: string; port: number }) => {
    const proxy = new Proxy(target);
    await proxy.pass();
    return proxy;
  };
  const engine = (name: EngineName) => to(hostAndPort(name, engines[urlVariables[name]]!));
  const [postgres, redis, s3, smtp, gateway] = await Promise.all([
    ...(['postgres', 'redis', 's3', 'smtp'] as const).map(engine),
    to({ host: '127.0.0.1', port: ports.gateway }),
  ]);
  return { postgres: postgres!, redis: redis!, kafka, s3: s3!, smtp: smtp!, gateway: gateway! };
}

/** The variables that lead an app to its own proxies. */
export function proxiedEnvironment(
  app: AppName,
  proxies: AppProxies,
  engines: Record<string, string>,
): Record<string, string> {
  const via = (name: EngineName) => {
    const url = new URL(engines[urlVariables[name]]!);
    url.host = `127.0.0.1:${proxies[name].port}`;
    return url.href.replace(/\/$/, '');
  };
  return {
    DATABASE_URL: databaseUrl(via('postgres'), app),
    REDIS_URL: via('redis'),
    KAFKA_BROKERS: `127.0.0.1:${proxies.kafka.port}`,
    S3_ENDPOINT: via('s3'),
    SMTP_URL: via('smtp'),
    GATEWAY_URL: `http://127.0.0.1:${proxies.gateway.port}`,
  };
}

export async function closeProxies(proxies: Record<string, Proxy>[]): Promise<void> {
  await Promise.all(proxies.flatMap((one) => Object.values(one).map((proxy) => proxy.refuse())));
}
