import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { podOf } from './manifest.ts';

/**
 * The manifests are held against the configuration and each other, as they stand: what kustomize makes of them is judged by
 * `npm run verify:infra`.
 */
type Manifest = ReturnType<typeof parse>;

const base = join(import.meta.dirname, '../../infra/kubernetes/base');
const read = (file: string) => readFileSync(join(base, file), 'utf8');
const APPS = ['notifications', 'orders', 'payments', 'scheduler', 'worker'];
const { spec: shared } = parse(read('process/deployment.yaml'));
const [everyContainer] = shared.template.spec.containers;
const drainMs = Number(
  everyContainer.env.find((variable: { name: string }) => variable.name === 'DRAIN_MS').value,
);

function manifestsOf(app: string): Manifest[] {
  const files = readdirSync(join(base, app)).filter((file) => file.endsWith('.yaml'));
  return files.flatMap((file) => parseAllDocuments(read(`${app}/${file}`)).map((each) => each.toJS()));
}

const podsOf = (app: string) =>
  manifestsOf(app).flatMap(({ kind, metadata, spec }) => {
    const template = kind === 'CronJob' ? spec.jobTemplate.spec.template : spec?.template;
    return template ? [{ kind, name: metadata.name, template, container: template.spec.containers[0] }] : [];
  });

it('there is a base for each of the five', () => {
  const folders = readdirSync(base, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).toSorted()).toEqual([...APPS, 'namespace', 'process'].toSorted());
});

describe('every process', () => {
  const { probes, preStop, terminationGracePeriodSeconds } = podOf(read('process/deployment.yaml'));

  it('is asked on three paths', () => {
    const { startup, liveness, readiness } = probes;
    expect([startup, liveness, readiness].map((probe) => [probe?.path, probe?.port])).toEqual([
      ['/health/startup', 'http'],
      ['/health/live', 'http'],
      ['/health/ready', 'http'],
    ]);
  });

  it('has 120 s to start, and is looked at often enough', () => {
    const { startup, liveness, readiness } = probes;
    expect(startup!.failureThreshold * startup!.periodSeconds).toBeGreaterThanOrEqual(120);
    expect(shared.progressDeadlineSeconds).toBeGreaterThan(
      2 * startup!.failureThreshold * startup!.periodSeconds,
    );
    expect(readiness!.periodSeconds).toBeGreaterThanOrEqual(2);
    expect(readiness!.periodSeconds).toBeLessThanOrEqual(5);
    // Checks give up after 1 s: their answer must come before the probe does.
    expect(readiness!.timeoutSeconds).toBeGreaterThan(1);
    expect(liveness!.failureThreshold).toBeGreaterThan(1);
  });

  it.each(APPS)('of %s drains by /prestop, with time for it and for the deadline', (app) => {
    const deadlineMs = Number(/^SHUTDOWN_DEADLINE_MS=(\d+)$/m.exec(read(`${app}/config.env`))?.[1]);
    expect(preStop).toEqual({ path: '/prestop', port: 'metrics' });
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(drainMs + deadlineMs);
    expect(drainMs).toBeGreaterThanOrEqual(2 * probes.readiness!.periodSeconds * 1000);
    // The kill of a failed liveness probe leaves time to drain, too, if the process still can.
    expect(probes.liveness!.terminationGracePeriodSeconds! * 1000).toBeGreaterThan(drainMs);
  });

  it('is not lost in a roll-out, and its replicas are spread', () => {
    expect(shared.strategy.rollingUpdate.maxUnavailable).toBe(0);
    const spread = shared.template.spec.topologySpreadConstraints as Record<string, unknown>[];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
  });

  it('and every task run without privileges', () => {
    const pods = [
      shared.template.spec,
      parse(read('process/job.yaml')).spec.template.spec,
      parse(read('process/cronjob.yaml')).spec.jobTemplate.spec.template.spec,
    ];
    for (const pod of pods) {
      expect(pod).toMatchObject({
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(pod.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });
});

describe.each(APPS)('the manifests of %s', (app) => {
  const pods = podsOf(app);
  const processes = pods.filter(({ kind }) => kind === 'Deployment');
  const config = read(`${app}/config.env`);
  const serves = ['orders', 'payments', 'notifications'].includes(app);

  it('have a Deployment for each way to run it, and a task that brings its stores up to date first', () => {
    expect(processes.map(({ container }) => container.args)).toEqual(
      serves ? [['consume'], ['serve']] : [['consume']],
    );
    expect(pods.find(({ kind }) => kind === 'Job')?.container.args).toEqual(['migrate']);
    expect(kinds(app, 'PodDisruptionBudget')).toHaveLength(processes.length);
    expect(kinds(app, 'HorizontalPodAutoscaler')).toHaveLength(serves ? 1 : 0);
  });

  it('listen where the configuration says', () => {
    for (const { container } of processes) {
      const ports = Object.fromEntries(
        container.ports.map(({ name, containerPort }: Record<string, unknown>) => [name, containerPort]),
      );
      expect(config).toContain(`\nPORT=${ports.http}\n`);
      expect(config).toContain(`\nMETRICS_PORT=${ports.metrics}\n`);
      expect(ports.metrics).toBe(9464);
    }
  });

  it('say nothing of their own about probes, ends and privileges', () => {
    for (const { kind, template, container } of pods) {
      expect(Object.keys(template.spec).toSorted()).toEqual(['containers', 'serviceAccountName']);
      const own = ['args', 'envFrom', 'image', 'name'];
      expect(Object.keys(container).toSorted()).toEqual(
        kind === 'Deployment' ? [...own, 'ports', 'resources'] : own,
      );
      expect(container).toMatchObject({ name: 'app', image: `cairn/${app}` });
      expect(container.envFrom).toEqual([
        { configMapRef: { name: `${app}-config` } },
        { secretRef: { name: `${app}-secret` } },
      ]);
      expect(template.spec.serviceAccountName).toBe(app);
    }
  });

  it('are bounded', () => {
    for (const { container } of processes) {
      expect(container.resources.limits).toEqual({ cpu: '500m', memory: '256Mi' });
    }
  });

  it('select what they make', () => {
    const labels = processes.map(({ template }) => template.metadata.labels);
    const selectors = manifestsOf(app).flatMap(({ kind, spec }) => {
      if (kind === 'Service') return [spec.selector];
      return kind === 'Deployment' || kind === 'PodDisruptionBudget' ? [spec.selector.matchLabels] : [];
    });
    for (const selector of selectors) expect(labels).toContainEqual(selector);
    const wanted = processes.map(({ name }) => name);
    for (const { spec } of kinds(app, 'HorizontalPodAutoscaler')) {
      expect(wanted).toContain(spec.scaleTargetRef.name);
    }
    for (const { spec } of kinds(app, 'NetworkPolicy')) {
      expect(spec.podSelector.matchLabels['app.kubernetes.io/name']).toBe(app);
    }
  });
});

function kinds(app: string, wanted: string): Manifest[] {
  return manifestsOf(app).filter(({ kind }) => kind === wanted);
}
