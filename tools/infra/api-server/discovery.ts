import { setTimeout as delay } from 'node:timers/promises';
import type { Say } from '../check.ts';
import type { KubernetesObject } from '../kubernetes/manifests.ts';
import type { Crd } from '../schemas/crd.ts';
import { crdOf } from '../schemas/schemas.files.ts';
import { complaints, rootOf, type Resource } from './objects.ts';
import type { Request } from './rest.client.ts';

/** Answers undefined for a kind that is not served. */
export type Discovery = (object: KubernetesObject) => Resource | undefined;

const ESTABLISHED_TIMEOUT_MS = 60_000;

/**
 * The kinds of these objects as the server serves them, after those that Kubernetes itself does not have were defined there.
 * @throws Error when a CustomResourceDefinition is refused, or is not served in time
 */
export async function discover(
  request: Request,
  objects: KubernetesObject[],
  progress: Say,
): Promise<Discovery> {
  const served = new Map<string, Resource[]>();
  for (const apiVersion of new Set(objects.map((object) => object.apiVersion))) {
    served.set(apiVersion, await resourcesOf(request, apiVersion));
  }
  const find: Discovery = ({ apiVersion, kind }) => served.get(apiVersion)?.find((one) => one.kind === kind);
  for (const object of objects.filter((one) => !find(one))) {
    if (find(object)) continue; // defined for an earlier one of its kind
    const { apiVersion, kind } = object;
    const crd = await crdOf(apiVersion.split('/')[0] ?? '', kind, progress);
    if (!crd) continue;
    progress(`defining ${crd.metadata.name}`);
    await define(request, crd);
    const isServed = async () => {
      served.set(apiVersion, await resourcesOf(request, apiVersion));
      return (
        find(object) !== undefined || !crd.spec.versions.some(({ name }) => apiVersion.endsWith(`/${name}`))
      );
    };
    await until(isServed, `${crd.metadata.name} was not served`);
  }
  return find;
}

async function resourcesOf(request: Request, apiVersion: string): Promise<Resource[]> {
  const { status, body } = await request('GET', rootOf(apiVersion));
  return status === 200
    ? (body as { resources: Resource[] }).resources.filter(({ name }) => !name.includes('/'))
    : [];
}

async function define(request: Request, crd: Crd): Promise<void> {
  const place = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const answer = await request('PATCH', `${place}/${crd.metadata.name}?fieldManager=verify&force=true`, crd);
  if (answer.status >= 300) throw new Error(complaints(crd.metadata.name, answer).join('\n'));
}

async function until(condition: () => Promise<boolean>, otherwise: string): Promise<void> {
  const end = Date.now() + ESTABLISHED_TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${otherwise} within ${ESTABLISHED_TIMEOUT_MS / 1000} s`);
    await delay(50);
  }
}
