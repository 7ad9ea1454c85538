import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { kindsOfCrd, type Crd } from './crd.ts';
import { extensions, kubernetes } from './modules.ts';
import { kindsOf, type OpenApi } from './openapi.ts';
import { fileOf, strict, type Schema } from './schema.ts';

const string = { type: 'string' };
const deploymentId = { group: 'apps', version: 'v1', kind: 'Deployment' };
const reference = (name: string): Schema => ({
  allOf: [{ $ref: `#/components/schemas/${name}` }],
  default: {},
});

const documents: OpenApi = {
  components: {
    schemas: {
      Deployment: {
        type: 'object',
        description: 'Runs pods.',
        properties: { metadata: reference('Meta'), spec: reference('Spec') },
        'x-kubernetes-group-version-kind': [deploymentId],
      },
      Meta: {
        type: 'object',
        properties: { name: string, owners: { type: 'array', items: reference('Meta') } },
      },
      Spec: {
        type: 'object',
        required: ['image'],
        properties: {
          image: string,
          labels: { type: 'object', additionalProperties: string },
          raw: reference('Raw'),
        },
      },
      Raw: { type: 'object' },
      Alpha: {
        properties: { metadata: reference('Meta') },
        'x-kubernetes-group-version-kind': [{ ...deploymentId, version: 'v1alpha1' }],
      },
      DeleteOptions: {
        properties: { metadata: reference('Meta') },
        'x-kubernetes-group-version-kind': [deploymentId, { ...deploymentId, group: 'batch' }],
      },
    },
  },
};

const metadata: Schema = {
  $ref: '#/definitions/Meta',
  definitions: { Meta: { type: 'object', properties: { name: string }, additionalProperties: false } },
};
const crd = (schema: Schema, served = true): Crd => ({
  kind: 'CustomResourceDefinition',
  metadata: { name: 'scalers.example.org' },
  spec: {
    group: 'example.org',
    names: { kind: 'Scaler', plural: 'scalers' },
    versions: [{ name: 'v1', served, schema: { openAPIV3Schema: schema } }],
  },
});

/** The errors of a value, as a sentence each. */
function errorsOf(schema: Schema | undefined, value: unknown): string[] {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.validate(schema ?? false, value);
  return (ajv.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath, message, params['additionalProperty']].filter(Boolean).join(' '),
  );
}

describe('the kinds of an OpenAPI document', () => {
  const [deployment, ...others] = kindsOf(documents);
  const errors = (value: unknown) => errorsOf(deployment?.schema, value);

  it('are those of an object, in a stable version', () => {
    expect(deployment).toMatchObject(deploymentId);
    expect(others).toEqual([]);
  });

  it('take what is listed, at any depth', () => {
    const owners = [{ name: 'a', owners: [{ name: 'b' }] }];
    expect(errors({ metadata: { name: 'a', owners }, spec: { image: 'a', labels: { any: 'b' } } })).toEqual(
      [],
    );
    expect(errors({ spec: { image: 'a', raw: { anything: 1 } } })).toEqual([]);
  });

  it('refuse a field that is not listed, one that is missing, and null', () => {
    expect(errors({ spec: { image: 'a', imagee: 'b' } })).toEqual([
      '/spec must NOT have additional properties imagee',
    ]);
    expect(errors({ metadata: { owners: [{ nam: 'a' }] }, spec: { image: 'a' } })).toEqual([
      '/metadata/owners/0 must NOT have additional properties nam',
    ]);
    expect(errors({ spec: {} })).toEqual(["/spec must have required property 'image'"]);
    expect(errors({ spec: { image: null } })).toEqual(['/spec/image must be string']);
  });

  it('come without what no validator acts on', () => {
    expect(JSON.stringify(deployment)).not.toMatch(/description|default|x-kubernetes/);
  });

  it('do not come at all when something that they refer to is missing', () => {
    const broken = { components: { schemas: { ...documents.components?.schemas, Spec: reference('Gone') } } };
    expect(() => kindsOf(broken)).toThrow("the OpenAPI document refers to Gone and doesn't hold it");
  });
});

describe('the kinds of a CustomResourceDefinition', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      metadata: { type: 'object' },
      spec: {
        type: 'object',
        properties: {
          trigger: { type: 'object' },
          free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          a: string,
          b: string,
        },
        oneOf: [{ required: ['a'], properties: { a: { pattern: '^a' } } }, { required: ['b'] }],
      },
    },
  };
  const [scaler] = kindsOfCrd(crd(schema), metadata);
  const errors = (value: object) =>
    errorsOf(scaler?.schema, { apiVersion: 'example.org/v1', kind: 'Scaler', ...value });

  it('are the served versions', () => {
    expect(scaler).toMatchObject({ group: 'example.org', version: 'v1', kind: 'Scaler' });
    expect(kindsOfCrd(crd(schema, false), metadata)).toEqual([]);
  });

  it('take what is listed, and anything where unknown fields are preserved', () => {
    expect(errors({ metadata: { name: 'a' }, spec: { a: 'a', free: { any: { thing: 1 } } } })).toEqual([]);
  });

  it('refuse a field that the API server would drop, in an object of which nothing is listed as well', () => {
    expect(errors({ spec: { b: 'b', c: 'c' } })).toEqual(['/spec must NOT have additional properties c']);
    expect(errors({ spec: { b: 'b', trigger: { c: 'c' } } })).toEqual([
      '/spec/trigger must NOT have additional properties c',
    ]);
  });

  it('hold metadata to the schema of Kubernetes, of which they say nothing', () => {
    expect(errors({ metadata: { name: 'a', lables: {} } })).toEqual([
      '/metadata must NOT have additional properties lables',
    ]);
  });

  it('need a schema', () => {
    const bare = crd(schema);
    delete bare.spec.versions[0]?.schema;
    expect(() => kindsOfCrd(bare, metadata)).toThrow('scalers.example.org has no schema for v1');
  });
});

describe('a schema', () => {
  it('says nullable as JSON Schema does', () => {
    const nullable = strict({ type: 'string', enum: ['a'], nullable: true }, () => false);
    expect(nullable).toEqual({ type: ['string', 'null'], enum: ['a', null] });
  });

  it('is where kubeconform looks: under the version for the core group', () => {
    expect(fileOf(deploymentId)).toBe('apps/v1/deployment.json');
    expect(fileOf({ group: '', version: 'v1', kind: 'ConfigMap' })).toBe('v1/v1/configmap.json');
  });
});

it('every module is pinned by an exact version and the hash of its files', () => {
  for (const { version, sum } of [kubernetes, ...extensions]) {
    expect(version).toMatch(/^v\d+\.\d+\.\d+$/);
    expect(sum).toMatch(/^h1:[A-Za-z0-9+/]{43}=$/);
  }
});

it('the schemas are those of the API server that is built', () => {
  const sums = readFileSync(join(import.meta.dirname, '../go/kube-apiserver/go.sum'), 'utf8');
  expect(sums).toContain(`${kubernetes.path} ${kubernetes.version} ${kubernetes.sum}\n`);
});
