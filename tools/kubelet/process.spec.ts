import { afterEach, describe, expect, it } from '@jest/globals';
import { VirtualClock } from '@cairn/lifecycle/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../stack/ports.ts';
import { Kubelet } from './kubelet.ts';
import { podOf, type Pod } from './manifest.ts';
import { ProcessContainer } from './process.container.ts';

/** Real: the process, its event loop, its probes, its signals, the manifest. Virtual: the kubelet's time between them. */
const POD = podOf(
  readFileSync(join(import.meta.dirname, '../../infra/kubernetes/base/process/deployment.yaml'), 'utf8'),
);

let container: ProcessContainer;
let kubelet: Kubelet;
afterEach(async () => {
  kubelet.stop();
  await container.destroy();
});

async function run(pod: Pod = POD) {
  const [http, metrics] = (await freePorts(2)) as [number, number];
  const clock = new VirtualClock({ settled: () => container.settled() });
  container = new ProcessContainer({
    command: process.execPath,
    args: ['--conditions=@cairn/source', join(import.meta.dirname, 'process.fixture.ts'), 'all'],
    env: { ...process.env, PORT: String(http), METRICS_PORT: String(metrics) },
    ports: { http, metrics },
    sleep: (ms) => clock.sleep(ms),
  });
  kubelet = new Kubelet(pod, container, clock);
  kubelet.run({ liveness: 0.5 });
  await clock.advance(5000);
  return clock;
}

/** Its loop does not turn any more; what it is asked from now on need not be waited for in full. */
async function hang(): Promise<void> {
  const url = `http://127.0.0.1:${container.port('http')}/hang`;
  await fetch(url, { signal: AbortSignal.timeout(500) }).catch(() => undefined);
  container.patience = 0.02;
  container.answers.length = 0;
}

describe('a real process', () => {
  it('whose loop hangs answers no probe, is gone within 30 s, and another takes its place', async () => {
    const clock = await run();
    expect(kubelet.ready).toBe(true);
    const since = clock.now();
    await hang();
    await clock.advance(40_000);
    expect(container.answers.slice(0, 4).map(({ answer }) => answer)).toEqual(Array(4).fill('timeout'));
    const exit = kubelet.events.find(({ type }) => type === 'exit')!;
    expect(exit.at - since).toBeLessThanOrEqual(30_000);
    expect(container.exits).toEqual(['SIGKILL']);
    expect([kubelet.kills, kubelet.restarts, kubelet.ready]).toEqual([1, 1, true]);
  }, 30_000);

  it('whose loop hangs would stay for ever without its liveness probe', async () => {
    const clock = await run({ ...POD, probes: { ...POD.probes, liveness: undefined } });
    await hang();
    await clock.advance(120_000);
    expect([kubelet.kills, kubelet.restarts, kubelet.ready]).toEqual([0, 0, false]);
  }, 30_000);

  it('that fails a probe drains for as long as /prestop takes, and ends with 0 on SIGTERM', async () => {
    const clock = await run({ ...POD, probes: { liveness: { ...POD.probes.liveness!, path: '/nothing' } } });
    await clock.advance(20_000);
    expect(kubelet.kills).toBeGreaterThanOrEqual(1);
    expect(container.answers).toContainEqual({ path: '/prestop', answer: 200 });
    expect(container.exits[0]).toBe(0);
  }, 30_000);
});
