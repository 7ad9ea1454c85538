import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { podOf } from './manifest.ts';

/** The manifests are held against the configuration, the images and each other. */
const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const APPS = globSync('infra/kubernetes/*/deployment.yaml', { cwd: root })
  .map((file) => basename(dirname(file)))
  .sort();

function manifestsOf(app: string) {
  const folder = `infra/kubernetes/${app}`;
  const text = read(`${folder}/deployment.yaml`);
  const deployment = parse(text);
  const spec = deployment.spec.template.spec;
  const [container] = spec.containers;
  const config: Record<string, string> = parse(read(`${folder}/configmap.yaml`)).data;
  const own = Object.fromEntries(
    container.env.map(({ name, value }: Record<string, string>) => [name, value]),
  );
  return {
    text,
    deployment,
    spec,
    container,
    env: { ...config, ...own },
    service: parse(read(`${folder}/service.yaml`)),
  };
}

it('there are five', () => {
  expect(APPS).toEqual(['notifications', 'orders', 'payments', 'scheduler', 'worker']);
});

describe.each(APPS)('the manifests of %s', (app) => {
  const { text, deployment, spec, container, env, service } = manifestsOf(app);
  const { probes, preStop, terminationGracePeriodSeconds } = podOf(text);
  const portOf = (name: string) =>
    container.ports.find((port: { name: string }) => port.name === name).containerPort;

  it('ask the three paths on the port that the configuration names', () => {
    const { startup, liveness, readiness } = probes;
    expect([startup, liveness, readiness].map((probe) => [probe?.path, probe?.port])).toEqual([
      ['/health/startup', 'http'],
      ['/health/live', 'http'],
      ['/health/ready', 'http'],
    ]);
    expect(portOf('http')).toBe(Number(env['PORT']));
    expect(portOf('metrics')).toBe(Number(env['METRICS_PORT']));
  });

  it('give 120 s to start, and look often enough', () => {
    const { startup, liveness, readiness } = probes;
    expect(startup!.failureThreshold * startup!.periodSeconds).toBeGreaterThanOrEqual(120);
    expect(readiness!.periodSeconds).toBeGreaterThanOrEqual(2);
    expect(readiness!.periodSeconds).toBeLessThanOrEqual(5);
    // Checks give up after 1 s: their answer must come before the probe does.
    expect(readiness!.timeoutSeconds).toBeGreaterThan(1);
    expect(liveness!.failureThreshold).toBeGreaterThan(1);
  });

  it('drain by /prestop, and leave time for it and for the deadline', () => {
    expect(preStop).toEqual({ path: '/prestop', port: 'metrics' });
    const wayOutMs = Number(env['DRAIN_MS']) + Number(env['SHUTDOWN_DEADLINE_MS']);
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(wayOutMs);
    expect(Number(env['DRAIN_MS'])).toBeGreaterThanOrEqual(2 * probes.readiness!.periodSeconds * 1000);
    // The kill of a failed liveness probe leaves time to drain, too, if the process still can.
    expect(probes.liveness!.terminationGracePeriodSeconds! * 1000).toBeGreaterThan(Number(env['DRAIN_MS']));
  });

  it('select what they make, and take configuration and secret of the same name', () => {
    const labels = deployment.spec.template.metadata.labels;
    expect(labels).toMatchObject(deployment.spec.selector.matchLabels);
    expect(labels).toMatchObject(service.spec.selector);
    for (const { targetPort } of service.spec.ports) expect(portOf(targetPort)).toBeDefined();
    expect(container.envFrom).toEqual([
      { configMapRef: { name: `${app}-config` } },
      { secretRef: { name: `${app}-secret` } },
    ]);
    expect(parse(read(`infra/kubernetes/${app}/configmap.yaml`)).metadata.name).toBe(`${app}-config`);
    expect(parse(read(`infra/kubernetes/${app}/secret.example.yaml`)).metadata.name).toBe(`${app}-secret`);
  });

  it('run without privileges, bounded, and lose no replica in a roll-out', () => {
    expect(spec).toMatchObject({
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits).toEqual({ cpu: '500m', memory: '256Mi' });
    expect(deployment.spec).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    });
    expect(env).not.toHaveProperty('NODE_OPTIONS');
    expect(container.args).toEqual(['all']);
  });
});
