import type { Container, Metadata, PodSpec } from './manifests.ts';

/**
 * The Pod Security Standards, profile "restricted" with all of "baseline" that it does not replace, as of Kubernetes 1.36.
 * Each rule reads the fields that the table names and answers what it found and may not be.
 *
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (for Linux pods)
 */
type Fields = Record<string, unknown>;
type Rule = { name: string; refused: (pod: PodSpec, metadata: Partial<Metadata>) => string[] };

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];
const SELINUX = [undefined, '', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const APPARMOR = /^(runtime\/default|localhost\/.*)?$/;
const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

const RULES: Rule[] = [
  {
    name: 'HostProcess',
    refused: (pod) =>
      contexts(pod).flatMap(([at, context]) =>
        is(fieldsIn(context['windowsOptions'])['hostProcess'], at, 'windowsOptions.hostProcess', [
          undefined,
          false,
        ]),
      ),
  },
  {
    name: 'Host Namespaces',
    refused: (pod) =>
      ['hostNetwork', 'hostPID', 'hostIPC'].flatMap((name) =>
        is(pod[name], 'spec', name, [undefined, false]),
      ),
  },
  { name: 'Privileged Containers', refused: inContainers('privileged', [undefined, false]) },
  {
    name: 'Host Ports',
    refused: (pod) =>
      all(pod).flatMap(([at, { ports = [] }]) =>
        ports.flatMap(({ hostPort }) => is(hostPort, at, 'ports.hostPort', [undefined, 0])),
      ),
  },
  {
    name: 'Host Probes / Lifecycle Hooks',
    refused: (pod) => all(pod).flatMap(([at, container]) => handlers(container).flatMap(hostsIn(at))),
  },
  {
    name: 'AppArmor',
    refused: (pod, { annotations = {} }) => [
      ...contexts(pod).flatMap(([at, context]) =>
        is(fieldsIn(context['appArmorProfile'])['type'], at, 'appArmorProfile.type', [
          undefined,
          'RuntimeDefault',
          'Localhost',
        ]),
      ),
      ...Object.entries(annotations)
        .filter(([name, value]) => name.startsWith(APPARMOR_ANNOTATION) && !APPARMOR.test(value))
        .map(([name, value]) => `annotation ${name} is "${value}"`),
    ],
  },
  {
    name: 'SELinux',
    refused: (pod) =>
      contexts(pod).flatMap(([at, context]) => {
        const { type, user, role } = fieldsIn(context['seLinuxOptions']);
        return [
          ...is(type, at, 'seLinuxOptions.type', SELINUX),
          ...is(user, at, 'seLinuxOptions.user', [undefined, '']),
          ...is(role, at, 'seLinuxOptions.role', [undefined, '']),
        ];
      }),
  },
  { name: '/proc Mount Type', refused: inContainers('procMount', [undefined, 'Default']) },
  {
    name: 'Sysctls',
    refused: ({ securityContext = {} }) =>
      ((securityContext['sysctls'] as { name: string }[] | undefined) ?? []).flatMap(({ name }) =>
        is(name, 'spec.securityContext', 'sysctls', SYSCTLS),
      ),
  },
  {
    name: 'Volume Types',
    refused: ({ volumes = [] }) =>
      volumes.flatMap(({ name, ...kinds }) =>
        Object.keys(kinds).flatMap((kind) => is(kind, `volume ${name}`, 'its kind', VOLUMES)),
      ),
  },
  { name: 'Privilege Escalation', refused: inContainers('allowPrivilegeEscalation', [false]) },
  { name: 'Running as Non-root', refused: ownOrPods('runAsNonRoot', (value) => value, [true]) },
  {
    name: 'Running as Non-root user',
    refused: (pod) =>
      contexts(pod).flatMap(([at, { runAsUser }]) => (runAsUser === 0 ? [`${at}: runAsUser is 0`] : [])),
  },
  {
    name: 'Seccomp',
    refused: ownOrPods('seccompProfile.type', typeOf, ['RuntimeDefault', 'Localhost']),
  },
  {
    name: 'Capabilities',
    refused: (pod) =>
      all(pod).flatMap(([at, { securityContext = {} }]) => {
        const { drop = [], add = [] } = fieldsIn(securityContext['capabilities']) as Record<string, string[]>;
        const added = add.flatMap((name) => is(name, at, 'capabilities.add', ['NET_BIND_SERVICE']));
        return drop.includes('ALL') ? added : [`${at}: capabilities.drop lacks ALL`, ...added];
      }),
  },
];

/** What a namespace that enforces the profile "restricted" would refuse about the pod. Empty for a pod that it takes. */
export function refusedBy(pod: PodSpec, metadata: Partial<Metadata> = {}): string[] {
  return RULES.flatMap(({ name, refused }) => refused(pod, metadata).map((what) => `${name}: ${what}`));
}

/** The names of the rules, as the table has them. */
export const ruleNames = RULES.map(({ name }) => name);

function all({ containers, initContainers = [], ephemeralContainers = [] }: PodSpec): [string, Container][] {
  const every = [...containers, ...initContainers, ...ephemeralContainers];
  return every.map((container) => [`container ${container.name}`, container]);
}

/** The security contexts of the pod and of its containers. */
function contexts(pod: PodSpec): [string, Fields][] {
  const own = all(pod).map(([at, { securityContext = {} }]): [string, Fields] => [at, securityContext]);
  return [['pod', pod.securityContext ?? {}], ...own];
}

function is(value: unknown, at: string, field: string, allowed: unknown[]): string[] {
  if (allowed.includes(value)) return [];
  const instead = allowed.filter((one) => one !== '').map((one) => String(one));
  return [`${at}: ${field} is ${String(value)}, allowed: ${instead.join(', ')}`];
}

function inContainers(field: string, allowed: unknown[]): Rule['refused'] {
  return (pod) =>
    all(pod).flatMap(([at, { securityContext = {} }]) => is(securityContext[field], at, field, allowed));
}

/** A field that a container may leave to the pod, and may not set to anything else. */
function ownOrPods(field: string, read: (value: unknown) => unknown, allowed: unknown[]): Rule['refused'] {
  const [name = ''] = field.split('.');
  return (pod) => {
    const ofPod = read(pod.securityContext?.[name]);
    const bad = ofPod === undefined ? [] : is(ofPod, 'pod', field, allowed);
    const own = all(pod).flatMap(([at, { securityContext = {} }]) =>
      is(read(securityContext[name]) ?? ofPod, at, field, allowed),
    );
    return [...bad, ...own];
  };
}

const HANDLERS = ['livenessProbe', 'readinessProbe', 'startupProbe'];

function handlers(container: Container): [string, Fields][] {
  const { postStart, preStop } = fieldsIn(container['lifecycle']);
  const found = [
    ...HANDLERS.map((name) => [name, container[name]]),
    ['postStart', postStart],
    ['preStop', preStop],
  ];
  return found.map(([name, handler]): [string, Fields] => [String(name), fieldsIn(handler)]);
}

const hostsIn =
  (at: string) =>
  ([name, handler]: [string, Fields]) =>
    ['httpGet', 'tcpSocket'].flatMap((kind) =>
      is(fieldsIn(handler[kind])['host'], at, `${name}.${kind}.host`, [undefined, '']),
    );

function typeOf(profile: unknown): unknown {
  return fieldsIn(profile)['type'];
}

function fieldsIn(value: unknown): Fields {
  return (value ?? {}) as Fields;
}
