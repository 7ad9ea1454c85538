import { strict, type Kind, type Schema } from './schema.ts';

/** What of an OpenAPI document of Kubernetes is read. */
export type OpenApi = { components?: { schemas?: Record<string, Schema> } };
type GroupVersionKind = { group: string; version: string; kind: string };

/** Raw JSON (`RawExtension`) is an object of which nothing is listed, and takes anything. */
const closes = (schema: Schema) => schema.properties !== undefined;

/** A beta or alpha version is off unless a cluster's operator turns it on. */
const isStable = (version: string) => /^v\d+$/.test(version);

/** The kinds of a document that an object in a manifest can have, in stable versions. */
export function kindsOf(document: OpenApi): Kind[] {
  const schemas = document.components?.schemas ?? {};
  return Object.entries(schemas).flatMap(([name, schema]) => {
    const names = (schema['x-kubernetes-group-version-kind'] ?? []) as GroupVersionKind[];
    // DeleteOptions and its like bear the names of all groups: they are arguments of a request, no objects.
    const [id, ...others] = names;
    if (!id || others.length || !schema.properties?.['metadata'] || !isStable(id.version)) return [];
    return [{ ...id, schema: definitionOf(schemas, name) }];
  });
}

/** A schema with all that it refers to, to stand in a file of its own. */
export function definitionOf(schemas: Record<string, Schema>, name: string): Schema {
  const definitions: Record<string, Schema> = {};
  const take = (one: string) => {
    if (one in definitions) return;
    const schema = schemas[one];
    if (!schema) throw new Error(`the OpenAPI document refers to ${one} and doesn't hold it`);
    definitions[one] = strict(schema, closes);
    for (const next of referencesOf(definitions[one])) take(next);
  };
  take(name);
  return { $ref: `#/definitions/${name}`, definitions };
}

function referencesOf(schema: Schema): string[] {
  const text = JSON.stringify(schema);
  return [...text.matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)].map(([, name = '']) => name);
}
