import { parse } from 'yaml';

/** A probe as the kubelet runs it, with the defaults that the API server would fill in. Times in seconds. */
export type Probe = {
  path: string;
  /** The container's name for it, or its number. */
  port: string | number;
  initialDelaySeconds: number;
  periodSeconds: number;
  timeoutSeconds: number;
  successThreshold: number;
  failureThreshold: number;
  /** Only for the kill that this probe causes; otherwise the pod's. */
  terminationGracePeriodSeconds?: number;
};

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

/** What of a Deployment the kubelet acts on. */
export type Pod = {
  probes: Partial<Record<ProbeKind, Probe>>;
  preStop?: { path: string; port: string | number };
  terminationGracePeriodSeconds: number;
};

type HttpGet = { path?: string; port: string | number };
type RawProbe = { httpGet?: HttpGet } & Partial<Omit<Probe, 'path' | 'port'>>;
type RawContainer = {
  lifecycle?: { preStop?: { httpGet?: HttpGet } };
} & Partial<Record<`${ProbeKind}Probe`, RawProbe>>;
type Deployment = {
  kind: string;
  spec: { template: { spec: { terminationGracePeriodSeconds?: number; containers: RawContainer[] } } };
};

/**
 * The pod of a Deployment's manifest.
 *
 * Source of the defaults: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
 *
 * @throws Error for a manifest of another kind or with several containers, and a probe that is not by HTTP
 */
export function podOf(yaml: string): Pod {
  const { kind, spec } = parse(yaml) as Deployment;
  if (kind !== 'Deployment') throw new Error(`expected a Deployment, got a ${kind}`);
  const { containers, terminationGracePeriodSeconds = 30 } = spec.template.spec;
  const [container, ...others] = containers;
  if (!container || others.length) throw new Error(`expected one container, got ${containers.length}`);
  const kinds = ['startup', 'liveness', 'readiness'] as const;
  const probes = kinds.flatMap((name) => {
    const probe = container[`${name}Probe`];
    return probe ? [[name, probeOf(name, probe)] as const] : [];
  });
  const hook = container.lifecycle?.preStop?.httpGet;
  return {
    probes: Object.fromEntries(probes),
    terminationGracePeriodSeconds,
    ...(hook && { preStop: { path: hook.path ?? '/', port: hook.port } }),
  };
}

function probeOf(name: ProbeKind, { httpGet, ...times }: RawProbe): Probe {
  if (!httpGet) throw new Error(`the ${name} probe is not by HTTP`);
  return {
    ...{
      initialDelaySeconds: 0,
      periodSeconds: 10,
      timeoutSeconds: 1,
      successThreshold: 1,
      failureThreshold: 3,
    },
    ...times,
    path: httpGet.path ?? '/',
    port: httpGet.port,
  };
}
