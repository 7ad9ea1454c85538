import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Say } from '../check.ts';
import { cached, pinOf, told } from '../programs/cache.ts';
import { kindsOfCrd, type Crd } from './crd.ts';
import { crdsOf, openApiOf } from './modules.files.ts';
import { extensions, kubernetes } from './modules.ts';
import { definitionOf, kindsOf } from './openapi.ts';
import { fileOf, LOCATION } from './schema.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** What the schemas are made by: another rule or pin gives other schemas. */
const MAKERS = ['modules.ts', 'schema.ts', 'openapi.ts', 'crd.ts', 'schemas.files.ts'];

/**
 * Where kubeconform finds the schemas of Kubernetes and of what extends it, for its `-schema-location`. They are strict by
 * themselves. Made once, of the modules that are pinned in modules.ts.
 * @throws Error when they have to be made, and Go is missing or a module can't be had
 */
export async function schemaLocations(progress: Say): Promise<string[]> {
  return [join(await schemaFolder(progress), LOCATION)];
}

/**
 * The CustomResourceDefinition of a kind, as an API server takes it.
 * @returns undefined when none of the modules in modules.ts defines it
 * @throws Error as `schemaLocations`
 */
export async function crdOf(group: string, kind: string, progress: Say): Promise<Crd | undefined> {
  const file = join(await schemaFolder(progress), crdFile(group, kind));
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Crd) : undefined;
}

const crdFile = (group: string, kind: string) => `definitions/${group}/${kind.toLowerCase()}.json`;

function schemaFolder(progress: Say): Promise<string> {
  const pin = pinOf(...MAKERS.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')));
  return cached(`kubernetes-schemas-${pin}`, (draft) => write(draft, progress));
}

async function write(folder: string, progress: Say): Promise<void> {
  const documents = await openApiOf(kubernetes, progress);
  const core = documents.find(({ components }) => components?.schemas?.[OBJECT_META]);
  const metadata = definitionOf(core?.components?.schemas ?? {}, OBJECT_META);
  const kinds = documents.flatMap(kindsOf);
  for (const module of extensions) {
    const crds = await told(progress, `reading what ${module.path} defines`, () => crdsOf(module, progress));
    for (const crd of crds) writeJson(join(folder, crdFile(crd.spec.group, crd.spec.names.kind)), crd);
    kinds.push(...crds.flatMap((crd) => kindsOfCrd(crd, metadata)));
  }
  for (const kind of kinds) writeJson(join(folder, fileOf(kind)), kind.schema);
  progress(`wrote the schemas of ${new Set(kinds.map(fileOf)).size} kinds`);
}

function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
}
