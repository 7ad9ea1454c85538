import { strict, type Kind, type Schema } from './schema.ts';

/** What of a CustomResourceDefinition is read. */
export type Crd = {
  kind: string;
  metadata: { name: string };
  spec: {
    group: string;
    names: { kind: string; plural: string };
    versions: { name: string; served: boolean; schema?: { openAPIV3Schema: Schema } }[];
  };
};

/**
 * The API server drops what a structural schema doesn't list, also of an object of which nothing is listed.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
 */
const closes = (schema: Schema) =>
  (schema.type === 'object' || schema.properties !== undefined) &&
  !schema['x-kubernetes-preserve-unknown-fields'] &&
  !schema['x-kubernetes-embedded-resource'];

/** What every object has. A CustomResourceDefinition need not list it, and says of `metadata` only that it is an object. */
const common = (metadata: Schema) => ({
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { $ref: metadata.$ref },
});

/**
 * The kinds that a CustomResourceDefinition adds, in the versions that are served.
 * @param metadata the schema of ObjectMeta
 */
export function kindsOfCrd({ metadata: { name }, spec }: Crd, metadata: Schema): Kind[] {
  return spec.versions
    .filter(({ served }) => served)
    .map(({ name: version, schema }) => {
      if (!schema) throw new Error(`${name} has no schema for ${version}`);
      const own = strict(schema.openAPIV3Schema, closes);
      const properties = { ...own.properties, ...common(metadata) };
      const whole = { ...own, properties, definitions: metadata.definitions };
      return { group: spec.group, version, kind: spec.names.kind, schema: whole };
    });
}
