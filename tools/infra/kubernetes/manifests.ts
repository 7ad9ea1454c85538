import { parseAllDocuments } from 'yaml';

export type Container = {
  name: string;
  image?: string;
  args?: string[];
  command?: string[];
  restartPolicy?: string;
  ports?: { name?: string; containerPort: number; hostPort?: number }[];
  env?: { name: string; value?: string; valueFrom?: unknown }[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string; optional?: boolean } }[];
  securityContext?: Record<string, unknown>;
  [more: string]: unknown;
};

export type PodSpec = {
  containers: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  securityContext?: Record<string, unknown>;
  volumes?: ({ name: string } & Record<string, unknown>)[];
  serviceAccountName?: string;
  [more: string]: unknown;
};

export type Metadata = {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};

export type KubernetesObject = {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: Record<string, unknown>;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
};

/** What makes pods, and the pods that it makes. */
export type Workload = { id: string; object: KubernetesObject; metadata: Partial<Metadata>; pod: PodSpec };

/**
 * The objects of a stream of manifests.
 * @throws Error with the position for what is no YAML
 */
export function objectsOf(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const object = document.toJS() as KubernetesObject | null;
    return object ? [object] : [];
  });
}

/** How an object is called in a problem: `Deployment/orders-serve`. */
export const idOf = ({ kind, metadata: { name } }: KubernetesObject) => `${kind}/${name}`;

type Template = { metadata?: Partial<Metadata>; spec: PodSpec };
type Holder = { template: Template; jobTemplate: { spec: { template: Template } } };

export function workloadsOf(objects: KubernetesObject[]): Workload[] {
  return objects.flatMap((object): Workload[] => {
    const template = templateOf(object);
    const id = idOf(object);
    return template ? [{ id, object, metadata: template.metadata ?? {}, pod: template.spec }] : [];
  });
}

function templateOf({ kind, metadata, spec }: KubernetesObject): Template | undefined {
  const holder = spec as Holder | undefined;
  if (!holder) return undefined;
  if (kind === 'Pod') return { metadata, spec: spec as unknown as PodSpec };
  if (kind === 'CronJob') return holder.jobTemplate.spec.template;
  if (['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].includes(kind)) return holder.template;
  return undefined;
}
