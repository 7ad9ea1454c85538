import { describe, expect, it } from '@jest/globals';
import type { KubernetesObject } from '../kubernetes/manifests.ts';
import { applyPath, complaints, firstOnes, lax, merged, podPath, podsOf } from './objects.ts';
import { warningsOf } from './rest.client.ts';

const object = (kind: string, name: string, more: Partial<KubernetesObject> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  ...more,
  metadata: { name, ...more.metadata },
});
const pod = { containers: [{ name: 'app' }] };
const job = object('Job', 'migrate', {
  apiVersion: 'batch/v1',
  metadata: { name: 'migrate', namespace: 'shop' },
  spec: { template: { metadata: { labels: { app: 'orders' } }, spec: pod } },
});
const namespace = (enforce?: string) =>
  object('Namespace', 'shop', {
    metadata: { name: 'shop', labels: enforce ? { 'pod-security.kubernetes.io/enforce': enforce } : {} },
  });

describe('an object is applied', () => {
  const jobs = { name: 'jobs', kind: 'Job', namespaced: true };

  it('under its group, namespace and name, strictly, and on trial', () => {
    expect(applyPath(job, jobs, true)).toBe(
      '/apis/batch/v1/namespaces/shop/jobs/migrate?fieldValidation=Strict&fieldManager=verify&force=true&dryRun=All',
    );
  });

  it('under a root of its own in the core group, for good when others need it', () => {
    const namespaces = { name: 'namespaces', kind: 'Namespace', namespaced: false };
    expect(applyPath(namespace(), namespaces, false)).toBe(
      '/api/v1/namespaces/shop?fieldValidation=Strict&fieldManager=verify&force=true',
    );
  });

  it('after what its admission asks for, with the account that every namespace has', () => {
    const account = object('ServiceAccount', 'orders', { metadata: { name: 'orders', namespace: 'shop' } });
    const first = firstOnes([job, account, object('PriorityClass', 'high'), namespace()]);
    expect(first.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name])).toEqual([
      ['Namespace', undefined, 'shop'],
      ['PriorityClass', undefined, 'high'],
      ['ServiceAccount', 'shop', 'orders'],
      ['ServiceAccount', 'shop', 'default'],
    ]);
  });
});

describe('a pod', () => {
  it('is made of every template, in the namespace of what would make it', () => {
    const cron = object('CronJob', 'cleanup', {
      spec: { jobTemplate: { spec: { template: { spec: pod } } } },
    });
    const pods = podsOf([job, cron, object('Service', 'orders')]);
    expect(pods.map(({ id, namespace: place }) => [id, podPath(place)])).toEqual([
      ['a pod of Job/migrate', '/api/v1/namespaces/shop/pods?fieldValidation=Strict&dryRun=All'],
      ['a pod of CronJob/cleanup', '/api/v1/namespaces/default/pods?fieldValidation=Strict&dryRun=All'],
    ]);
    expect(pods[0]?.pod).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'migrate', labels: { app: 'orders' }, annotations: undefined },
      spec: { ...pod, volumes: [] },
    });
  });

  it('of a StatefulSet has its claims as volumes', () => {
    const volumes = [{ name: 'tmp', emptyDir: {} }];
    const [one] = podsOf([
      object('StatefulSet', 'kafka', {
        spec: {
          volumeClaimTemplates: [{ metadata: { name: 'data' } }],
          template: { spec: { ...pod, volumes } },
        },
      }),
    ]);
    expect(one?.pod.spec.volumes).toEqual([
      ...volumes,
      { name: 'data', persistentVolumeClaim: { claimName: 'data-kafka-0' } },
    ]);
  });

  it('proves nothing where the namespace is not held to "restricted"', () => {
    const lacks = ['namespace shop lacks the label pod-security.kubernetes.io/enforce: restricted'];
    expect(lax([namespace('restricted'), job])).toEqual([]);
    expect(lax([namespace('baseline'), job])).toEqual(lacks);
    expect(lax([namespace(), job])).toEqual(lacks);
    expect(lax([job])).toEqual(lacks);
  });
});

describe('what the server says', () => {
  it('is a problem when it refuses, and when it warns', () => {
    const refused = { status: 422, body: { message: 'Job "migrate" is invalid' }, warnings: [] };
    const warned = { status: 201, body: {}, warnings: ['batch/v1beta1 is deprecated'] };
    expect(complaints('Job/migrate', refused)).toEqual(['Job/migrate: Job "migrate" is invalid']);
    expect(complaints('Job/migrate', warned)).toEqual([
      'Job/migrate: warned of: batch/v1beta1 is deprecated',
    ]);
    expect(complaints('Job/migrate', { status: 200, body: {}, warnings: [] })).toEqual([]);
    expect(complaints('Job/migrate', { status: 404, body: 'not found', warnings: [] })).toEqual([
      'Job/migrate: answered 404: not found',
    ]);
  });

  it('warns in a header, of several things at a time', () => {
    expect(warningsOf('299 - "a \\"quoted\\" word, and a comma", 299 - "another"')).toEqual([
      'a "quoted" word, and a comma',
      'another',
    ]);
    expect(warningsOf(undefined)).toEqual([]);
  });

  it('is told once for all overlays on the same base', () => {
    const problems = new Map([
      ['development', ['a', 'a']],
      ['staging', ['a', 'b']],
    ]);
    expect(merged(problems)).toEqual(['development, staging: a', 'staging: b']);
  });
});
