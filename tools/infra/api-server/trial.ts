import { idOf, type KubernetesObject } from '../kubernetes/manifests.ts';
import type { Discovery } from './discovery.ts';
import { applyPath, complaints, firstOnes, isFirst, lax, podPath, podsOf } from './objects.ts';
import type { Request } from './rest.client.ts';

export type Trial = { objects: number; pods: number; problems: string[] };

/**
 * Offers the objects of an overlay to the server as a deployment would, and a pod of every template as controllers would. Only
 * what others need to be there is stored, and taken away at the end but for the namespace.
 */
export async function trial(request: Request, find: Discovery, objects: KubernetesObject[]): Promise<Trial> {
  const apply = async (object: KubernetesObject, dryRun: boolean) => {
    const resource = find(object);
    if (!resource) return [`${idOf(object)}: no ${object.apiVersion} ${object.kind} is served: ${REMEDY}`];
    return complaints(idOf(object), await request('PATCH', applyPath(object, resource, dryRun), object));
  };
  const problems = lax(objects);
  for (const object of firstOnes(objects)) problems.push(...(await apply(object, false)));
  const others = objects.filter((object) => !isFirst(object));
  const pods = podsOf(objects);
  const told = await Promise.all([
    ...others.map((object) => apply(object, true)),
    ...pods.map(async ({ id, namespace, pod }) =>
      complaints(id, await request('POST', podPath(namespace), pod)),
    ),
  ]);
  problems.push(...told.flat());
  await remove(request, find, objects);
  return { objects: objects.length, pods: pods.length, problems };
}

const REMEDY =
  'mend apiVersion and kind, or add the module that defines it to tools/infra/schemas/modules.ts';

/** What the next overlay forgets must not be there from this one. A namespace takes a controller to be removed. */
async function remove(request: Request, find: Discovery, objects: KubernetesObject[]): Promise<void> {
  for (const object of firstOnes(objects).filter(({ kind }) => kind !== 'Namespace')) {
    const resource = find(object);
    if (resource) await request('DELETE', applyPath(object, resource, false).split('?')[0] ?? '');
  }
}
