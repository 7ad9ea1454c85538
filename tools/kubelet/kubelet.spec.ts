import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '@cairn/lifecycle/testing';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LibraryContainer, type Behaviour } from './container.fixture.ts';
import { Kubelet, type Phases } from './kubelet.ts';
import { podOf, type Pod, type Probe } from './manifest.ts';

/**
 * Real: the manifests, and of the process its library (health, connecting, shutdown). Virtual: time, the kubelet, the network.
 */
const PROCESS = join(import.meta.dirname, '../../infra/kubernetes/base/process/deployment.yaml');
const POD = podOf(readFileSync(PROCESS, 'utf8'));
const MINUTE = 60_000;

async function watch(pod: Pod, behaviour: Behaviour, ms: number, phases: Phases = {}) {
  const clock = new VirtualClock();
  const container = new LibraryContainer(clock, behaviour);
  const kubelet = new Kubelet(pod, container, clock);
  kubelet.run(phases);
  await clock.advance(ms);
  kubelet.stop();
  return { kubelet, container };
}

const without = (pod: Pod, kind: keyof Pod['probes']): Pod => ({
  ...pod,
  probes: { ...pod.probes, [kind]: undefined },
});
const phase = fc.double({ min: 0, max: 0.99, noNaN: true });
const phases = fc.record({ startup: phase, liveness: phase, readiness: phase });
const COLD = (ms: number): Behaviour => ({ listensAfterMs: ms });
const BOOTS: [string, (ms: number) => Behaviour][] = [
  ['it does not listen yet', COLD],
  ['its database is late', (ms) => ({ database: (at) => at >= ms })],
  ['its database says nothing', (ms) => ({ database: (at) => at >= ms || 'hangs' })],
];

describe('the pod of every process', () => {
  it.each(BOOTS)('is restarted by no boot of 0 to 120 s in which %s', async (_, boot) => {
    const step = boot === COLD ? 1 : 4;
    for (let seconds = 0; seconds <= 120; seconds += step) {
      const at = { startup: (seconds % 7) / 7 };
      const { kubelet } = await watch(POD, boot(seconds * 1000), seconds * 1000 + 20_000, at);
      expect([seconds, kubelet.kills, kubelet.restarts, kubelet.ready]).toEqual([seconds, 0, 0, true]);
    }
  });

  it('is not killed whatever the phases of its probes are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 120_000 }),
        phases,
        fc.constantFrom(...BOOTS),
        async (ms, at, [, boot]) => {
          const { kubelet } = await watch(POD, boot(ms), 140_000, at);
          expect([kubelet.restarts, kubelet.ready]).toEqual([0, true]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('would be killed in a long boot without its startup probe', async () => {
    const { kubelet } = await watch(without(POD, 'startup'), { listensAfterMs: 120_000 }, 140_000);
    expect(kubelet.kills).toBeGreaterThanOrEqual(1);
  });

  it('would be killed by a startup probe that gives up before 120 s', async () => {
    const startup = { ...POD.probes.startup!, failureThreshold: 55 };
    const { kubelet } = await watch(
      { ...POD, probes: { ...POD.probes, startup } },
      { listensAfterMs: 120_000 },
      140_000,
    );
    expect(kubelet.kills).toBeGreaterThanOrEqual(1);
  });

  it('is gone within 30 s of a loop that hangs, and comes back', async () => {
    const gone = fc.asyncProperty(fc.integer({ min: 0, max: 5000 }), phases, async (ms, at) => {
      const hangsAtMs = MINUTE + ms;
      const { kubelet } = await watch(POD, { hangsAtMs }, 3 * MINUTE, at);
      const { at: exit } = kubelet.events.find(({ type }) => type === 'exit')!;
      expect(exit - hangsAtMs).toBeLessThanOrEqual(30_000);
      expect([kubelet.kills, kubelet.restarts, kubelet.ready]).toEqual([1, 1, true]);
    });
    await fc.assert(gone, { numRuns: 40 });
  });

  it.each([
    ['refuses', false],
    ['says nothing', 'hangs'],
  ] as const)(
    'is taken out and put back, but not restarted, when its database %s for 60 s',
    async (_, state) => {
      const away = (at: number) => at >= MINUTE && at < 2 * MINUTE;
      const { kubelet, container } = await watch(
        POD,
        { database: (at) => (away(at) ? state : true) },
        3 * MINUTE,
      );
      const during = container.answers.filter(({ at }) => at > MINUTE + 2000 && at < 2 * MINUTE);
      const answersTo = (path: string) => [
        ...new Set(during.filter((a) => a.path === path).map(({ answer }) => answer)),
      ];
      expect(answersTo('/health/live')).toEqual([200]);
      expect(answersTo('/health/ready')).toEqual([503]);
      expect([kubelet.kills, kubelet.restarts, kubelet.ready]).toEqual([0, 0, true]);
      expect(kubelet.events.map(({ type }) => type)).toEqual([
        'start',
        'started',
        'ready',
        'unready',
        'ready',
      ]);
    },
  );

  it('would be restarted by that if liveness looked at the database', async () => {
    const liveness = { ...POD.probes.liveness!, path: '/health/ready' };
    const database = (at: number) => at < MINUTE || at >= 2 * MINUTE;
    const { kubelet } = await watch(
      { ...POD, probes: { ...POD.probes, liveness } },
      { database },
      3 * MINUTE,
    );
    expect(kubelet.restarts).toBeGreaterThanOrEqual(1);
  });
});

describe('the kubelet', () => {
  it('pauses longer from restart to restart: at once, 10 s, 20 s, 40 s', async () => {
    const pod: Pod = { ...POD, preStop: undefined };
    const { kubelet } = await watch(pod, { listensAfterMs: 10 * MINUTE }, 15 * MINUTE);
    const starts = kubelet.events.filter(({ type }) => type === 'start' || type === 'exit').slice(1);
    const pauses = starts.flatMap(({ type, at }, i) => (type === 'start' ? [at - starts[i - 1]!.at] : []));
    expect(pauses.slice(0, 4)).toEqual([0, 10_000, 20_000, 40_000]);
  });

  it('kills by preStop, SIGTERM and, where that does not help, SIGKILL', async () => {
    const life = (behaviour: Behaviour) =>
      watch({ ...POD, probes: { liveness: FAILS } }, behaviour, 4 * MINUTE);
    const graceful = await life({});
    expect(gaps(graceful.kubelet)[0]).toBe(5000);
    const hung = await life({ hangsAtMs: 0 });
    expect(gaps(hung.kubelet)[0]).toBe(42_000);
  });
});

/** A path that is not there: 404 is a failure. */
const FAILS: Probe = {
  ...POD.probes.liveness!,
  path: '/nothing',
  terminationGracePeriodSeconds: undefined,
};

/** From each kill to the end of the container. */
function gaps({ events }: Kubelet): number[] {
  const ends = events.filter(({ type }) => type === 'kill' || type === 'exit');
  return ends.flatMap(({ type, at }, i) => (type === 'exit' ? [at - ends[i - 1]!.at] : []));
}
