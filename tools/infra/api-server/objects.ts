import { workloadsOf, type KubernetesObject } from '../kubernetes/manifests.ts';
import type { Answer } from './rest.client.ts';

/** A kind as the server's discovery lists it. */
export type Resource = { name: string; kind: string; namespaced: boolean };

/** Where the server answers for a group and version. The core group has a root of its own. */
export const rootOf = (apiVersion: string) =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

/** Unknown and repeated fields are errors, not dropped. `dryRun` passes all of validation and admission and stores nothing. */
const query = (more: Record<string, string>) =>
  `?${new URLSearchParams({ fieldValidation: 'Strict', ...more })}`;

/** Where an object is applied. */
export function applyPath(object: KubernetesObject, resource: Resource, dryRun: boolean): string {
  const { name, namespace } = object.metadata;
  const place = resource.namespaced ? `/namespaces/${namespace ?? 'default'}` : '';
  const more = { fieldManager: 'verify', force: 'true', ...(dryRun && { dryRun: 'All' }) };
  return `${rootOf(object.apiVersion)}${place}/${resource.name}/${encodeURIComponent(name)}${query(more)}`;
}

export const podPath = (namespace: string) =>
  `/api/v1/namespaces/${namespace}/pods${query({ dryRun: 'All' })}`;

/** Admission of the others asks for these: they are stored before the others are tried. */
const FIRST = ['Namespace', 'PriorityClass', 'ServiceAccount'];
export const isFirst = ({ kind }: KubernetesObject) => FIRST.includes(kind);

/** In the order in which they need each other, with the account that a controller gives to every namespace. */
export function firstOnes(objects: KubernetesObject[]): KubernetesObject[] {
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  const accounts = namespaces.map(({ metadata: { name: namespace } }) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  }));
  const all = [...objects.filter(isFirst), ...accounts];
  return all.toSorted((a, b) => FIRST.indexOf(a.kind) - FIRST.indexOf(b.kind));
}

/** The pods that controllers would make: one of every template. */
export function podsOf(objects: KubernetesObject[]) {
  return workloadsOf(objects).map(({ id, object, metadata: { labels, annotations }, pod }) => ({
    id: `a pod of ${id}`,
    namespace: object.metadata.namespace ?? 'default',
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: object.metadata.name, labels, annotations },
      spec: { ...pod, volumes: [...(pod.volumes ?? []), ...claimed(object)] },
    },
  }));
}

type Claims = { volumeClaimTemplates?: { metadata: { name: string } }[] };

/** The volumes that a StatefulSet adds to its first pod. */
const claimed = ({ metadata, spec = {} }: KubernetesObject) =>
  ((spec as Claims).volumeClaimTemplates ?? []).map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: `${name}-${metadata.name}-0` },
  }));

const ENFORCE = 'pod-security.kubernetes.io/enforce';

/** Namespaces with pods that the server doesn't hold to "restricted": it would admit any pod there. */
export function lax(objects: KubernetesObject[]): string[] {
  const used = new Set(podsOf(objects).map(({ namespace }) => namespace));
  const strict = objects.filter(
    ({ kind, metadata }) => kind === 'Namespace' && metadata.labels?.[ENFORCE] === 'restricted',
  );
  const names = new Set(strict.map(({ metadata }) => metadata.name));
  return [...used]
    .filter((name) => !names.has(name))
    .map((name) => `namespace ${name} lacks the label ${ENFORCE}: restricted`);
}

/** What the server says against an object that it did not take, and what it warned of. */
export function complaints(id: string, { status, body, warnings }: Answer): string[] {
  const { message = `answered ${status}: ${String(body)}` } = body as { message?: string };
  return [
    ...(status < 300 ? [] : [`${id}: ${message}`]),
    ...warnings.map((warning) => `${id}: warned of: ${warning}`),
  ];
}

/** One line for what several overlays have in common: they are built on the same base. */
export function merged(byOverlay: Map<string, string[]>): string[] {
  const overlays = new Map<string, string[]>();
  for (const [overlay, problems] of byOverlay) {
    for (const problem of new Set(problems))
      overlays.set(problem, [...(overlays.get(problem) ?? []), overlay]);
  }
  return [...overlays].map(([problem, names]) => `${names.join(', ')}: ${problem}`);
}
