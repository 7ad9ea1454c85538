import type { Exception } from './lint.ts';

const APPS = /\/(orders|payments|notifications|worker|scheduler)-/;
/** Of components/engines, which stands in for what is bought or run by others elsewhere. */
const ENGINES = /\/(postgres|redis|kafka|s3|mail|simulators)$/;

/**
 * Where kube-score is not followed. One that explains nothing any more is reported. Its rules:
 * https://github.com/zegl/kube-score/blob/master/README_CHECKS.md
 */
export const EXCEPTIONS: Exception[] = [
  {
    rule: 'container-image-pull-policy',
    objects: /^/,
    why: 'Apps run by digest, and what a digest names can not change; asking the registry at each start makes it one more thing that has to be up. The images of development are on the node, and in no registry.',
  },
  {
    rule: 'container-security-context-user-group-id',
    objects: /^/,
    why: 'The user is that of the image (1000 in ours). A number above 10000 helps where a process gets to files of the host, and no volume of the host is mounted: the profile "restricted" refuses them.',
  },
  {
    rule: 'container-ephemeral-storage-request-and-limit',
    objects: APPS,
    why: 'The root is read-only, and the volumes of the sidecars have a sizeLimit of their own. What is left is the log, which the kubelet rotates.',
  },
  {
    rule: 'container-ephemeral-storage-request-and-limit',
    objects: ENGINES,
    why: 'One node of a developer, and data that may go with it.',
  },
  {
    rule: 'deployment-has-host-podantiaffinity',
    objects: APPS,
    why: 'topologySpreadConstraints spread them over zones and nodes, and over both at a time; the rule knows anti-affinity only.',
  },
  {
    rule: 'deployment-replicas',
    objects: APPS,
    overlays: /^development$/,
    why: 'One node: a second replica would go down with the first.',
  },
  ...[
    'container-security-context-readonlyrootfilesystem',
    'deployment-has-host-podantiaffinity',
    'deployment-has-poddisruptionbudget',
    'deployment-replicas',
    'deployment-strategy',
    'statefulset-has-host-podantiaffinity',
    'statefulset-has-poddisruptionbudget',
    'statefulset-has-servicename',
  ].map((rule) => ({
    rule,
    objects: ENGINES,
    overlays: /^development$/,
    why: 'One of each on one node, as their images are: to try things out, not to be available.',
  })),
];
