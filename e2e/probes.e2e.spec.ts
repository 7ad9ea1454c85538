import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '@cairn/lifecycle/testing';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { Kubelet } from '@cairn/tools/kubelet/kubelet.ts';
import { podOf, type Pod } from '@cairn/tools/kubelet/manifest.ts';
import { ProcessContainer } from '@cairn/tools/kubelet/process.container.ts';
import { Proxy } from '@cairn/tools/chaos/wire/proxy.ts';
import { appEnvironment, databaseUrl, freeAppPorts, type LaunchOptions } from '@cairn/tools/local/apps.ts';
import { startWorld, type World } from '@cairn/tools/local/world.ts';
import { createGuard } from '@cairn/tools/stack/guard.ts';
import { repoRoot } from '@cairn/tools/stack/paths.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Real: orders as it is deployed, its engines, its probes over HTTP, the manifest. A proxy takes PostgreSQL away from orders alone.
 * Virtual: the time between two probes of the kubelet, so an outage of a minute takes as long as its answers.
 */
const POD = podOf(readFileSync(join(repoRoot, 'infra/kubernetes/base/process/deployment.yaml'), 'utf8'));

let launch: LaunchOptions;
let world: World;
let proxy: Proxy;
let redisProxy: Proxy;
let container: ProcessContainer;
let kubelet: Kubelet;
let clock: VirtualClock;

beforeAll(async () => {
  const engines = process.env as Record<string, string>;
  launch = { stack: 'test', guard: createGuard(), engines, ports: await freeAppPorts() };
  world = await startWorld(launch, () => {}, []);
  const { hostname, port } = new URL(engines['POSTGRES_URL']!);
  proxy = new Proxy({ host: hostname, port: Number(port) });
  const redis = new URL(engines['REDIS_URL']!);
  redisProxy = new Proxy({ host: redis.hostname, port: Number(redis.port) });
  await Promise.all([proxy.pass(), redisProxy.pass()]);
}, 60_000);
afterEach(async () => {
  kubelet.stop();
  await container.destroy();
  await Promise.all([proxy.pass(), redisProxy.pass()]);
});
afterAll(async () => {
  await Promise.all([proxy?.refuse(), redisProxy?.refuse()]);
  await world?.stop();
  launch.guard.close();
});

function start(pod: Pod = POD): void {
  const { engines, ports, guard } = launch;
  const bundle = join(repoRoot, 'apps/orders/bundle');
  const database = new URL(databaseUrl(engines['POSTGRES_URL']!, 'orders'));
  database.host = `127.0.0.1:${proxy.port}`;
  const redis = new URL(engines['REDIS_URL']!);
  redis.host = `127.0.0.1:${redisProxy.port}`;
  clock = new VirtualClock({ settled: () => container.settled() });
  container = new ProcessContainer({
    command: process.execPath,
    args: ['--import', join(bundle, 'telemetry.js'), join(bundle, 'main.js'), 'all'],
    env: {
      ...{
        PATH: process.env['PATH'],
        ...appEnvironment(engines, ports),
        DATABASE_URL: database.href,
        REDIS_URL: redis.href,
      },
      ...{ PORT: String(ports.orders), METRICS_PORT: String(ports.ordersMetrics), DRAIN_MS: '100' },
    },
    ports: { http: ports.orders, metrics: ports.ordersMetrics },
    sleep: (ms) => clock.sleep(ms),
    onStart: (pid) => guard.adopt(pid, { name: 'orders', signal: 'SIGKILL' }),
    onEnd: (pid) => guard.release(pid),
  });
  kubelet = new Kubelet(pod, container, clock);
  kubelet.run({ liveness: 0.5, readiness: 0.25 });
}

async function answer(path: string) {
  const response = await fetch(`http://127.0.0.1:${container.port('http')}${path}`);
  return {
    status: response.status,
    body: (await response.json()) as { error: Record<string, { message: string }> },
  };
}
const says = (path: string, status: number) =>
  waitFor(`${status} from ${path}`, async () => (await answer(path)).status === status || undefined);
const answersTo = (path: string) => [
  ...new Set(container.answers.filter((given) => given.path === path).map((given) => given.answer)),
];
const fate = () => [kubelet.kills, kubelet.restarts, kubelet.ready];

async function startReady(pod: Pod = POD): Promise<void> {
  start(pod);
  await clock.advance(0);
  await says('/health/startup', 200);
  await clock.advance(10_000);
  expect(fate()).toEqual([0, 0, true]);
  container.answers.length = 0;
}

describe('orders', () => {
  it('whose PostgreSQL is 100 s late is alive, says what it waits for, and starts without a restart', async () => {
    await proxy.refuse();
    start();
    await clock.advance(100_000);
    expect(fate()).toEqual([0, 0, false]);
    expect(answersTo('/health/startup')).toEqual([503]);
    expect((await answer('/health/live')).status).toBe(200);
    expect((await answer('/health/startup')).body.error['postgres']?.message).toMatch(
      /^connecting, \d+ failed: .*REFUSED/,
    );
    await proxy.pass();
    await says('/health/startup', 200);
    await clock.advance(10_000);
    expect(fate()).toEqual([0, 0, true]);
  }, 60_000);

  it('whose Redis is late starts when it is there, without a restart', async () => {
    await redisProxy.refuse();
    start();
    await clock.advance(20_000);
    const waits = async () =>
      /^connecting, \d+ failed/.test((await answer('/health/startup')).body.error['redis']!.message);
    await waitFor('a second attempt', async () => (await waits()) || undefined);
    await redisProxy.pass();
    await says('/health/startup', 200);
    await clock.advance(10_000);
    expect(fate()).toEqual([0, 0, true]);
  }, 60_000);

  it.each([
    ['is gone', () => proxy.refuse()],
    ['says nothing', () => proxy.mute()],
  ])(
    'whose PostgreSQL %s for 60 s stays alive, is unready, and comes back without a restart',
    async (_, leave) => {
      await startReady();
      await leave();
      await says('/health/ready', 503);
      await clock.advance(60_000);
      expect(answersTo('/health/live')).toEqual([200]);
      expect(answersTo('/health/ready')).toEqual([503]);
      expect(fate()).toEqual([0, 0, false]);
      await proxy.pass();
      await says('/health/ready', 200);
      await clock.advance(10_000);
      expect(fate()).toEqual([0, 0, true]);
      expect(container.exits).toEqual([]);
    },
    60_000,
  );

  it('would be restarted by that if its liveness looked at the database', async () => {
    const liveness = { ...POD.probes.liveness!, path: '/health/ready' };
    await startReady({ ...POD, probes: { ...POD.probes, liveness } });
    await proxy.refuse();
    await says('/health/ready', 503);
    await clock.advance(60_000);
    expect(kubelet.restarts).toBeGreaterThanOrEqual(1);
  }, 60_000);
});
