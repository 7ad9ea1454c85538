import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Say } from '../check.ts';
import { cached, pinOf, told } from '../programs/cache.ts';
import { kindsOfCrd } from './crd.ts';
import { crdsOf, openApiOf } from './modules.files.ts';
import { extensions, kubernetes } from './modules.ts';
import { definitionOf, kindsOf } from './openapi.ts';
import { fileOf, LOCATION, type Kind } from './schema.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** What the schemas are made by: another rule or pin gives other schemas. */
const MAKERS = ['modules.ts', 'schema.ts', 'openapi.ts', 'crd.ts', 'schemas.files.ts'];

/**
 * Where kubeconform finds the schemas of Kubernetes and of what extends it, for its `-schema-location`. They are strict by
 * themselves. Made once, of the modules that are pinned in modules.ts.
 * @throws Error when they have to be made, and Go is missing or a module can't be had
 */
export async function schemaLocations(progress: Say): Promise<string[]> {
  const pin = pinOf(...MAKERS.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')));
  const folder = await cached(`kubernetes-schemas-${pin}`, (draft) => write(draft, progress));
  return [join(folder, LOCATION)];
}

async function write(folder: string, progress: Say): Promise<void> {
  const kinds = await allKinds(progress);
  for (const kind of kinds) {
    const file = join(folder, fileOf(kind));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(kind.schema));
  }
  progress(`wrote the schemas of ${new Set(kinds.map(fileOf)).size} kinds`);
}

async function allKinds(progress: Say): Promise<Kind[]> {
  const documents = await openApiOf(kubernetes, progress);
  const core = documents.find(({ components }) => components?.schemas?.[OBJECT_META]);
  const metadata = definitionOf(core?.components?.schemas ?? {}, OBJECT_META);
  const added: Kind[] = [];
  for (const module of extensions) {
    const crds = await told(progress, `reading what ${module.path} defines`, () => crdsOf(module, progress));
    added.push(...crds.flatMap((crd) => kindsOfCrd(crd, metadata)));
  }
  return [...documents.flatMap(kindsOf), ...added];
}
