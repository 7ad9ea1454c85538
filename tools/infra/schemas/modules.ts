/** A Go module that holds schemas, pinned as go.sum pins it. */
export type SchemaModule = {
  path: string;
  version: string;
  /** The hash of all its files, as in go.sum: https://go.dev/ref/mod#go-sum-files */
  sum: string;
  /** The folder of its OpenAPI documents, one per API group and version, or of its CustomResourceDefinitions. */
  folder: string;
};

/** The Kubernetes that manifests are written for. The API server of `--api-server` is of the same version. */
export const kubernetes: SchemaModule = {
  path: 'k8s.io/kubernetes',
  version: 'v1.36.3',
  sum: 'h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o=',
  folder: 'api/openapi-spec/v3',
};

/** What clusters have on top of it, of the versions that the components in infra/kubernetes are written for. */
export const extensions: SchemaModule[] = [
  {
    path: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    sum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
    folder: 'config/crd/bases',
  },
  {
    path: 'github.com/external-secrets/external-secrets',
    version: 'v1.3.2',
    sum: 'h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=',
    folder: 'config/crds/bases',
  },
  {
    path: 'istio.io/api',
    version: 'v1.31.1',
    sum: 'h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk=',
    folder: 'kubernetes',
  },
  {
    path: 'github.com/cert-manager/cert-manager',
    version: 'v1.21.2',
    sum: 'h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=',
    folder: 'deploy/crds',
  },
];
