import { describe, expect, it } from '@jest/globals';
import type { PodSpec } from './manifests.ts';
import { refusedBy, ruleNames } from './pod-security.ts';

/** The rules on plain values. The API server's own verdict on the same manifests: `npm run verify:infra -- --api-server`. */
const container = {
  name: 'app',
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};
const good: PodSpec = {
  containers: [container],
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
};
/** A good pod but for fields of its container's security context. */
const withOwn = (fields: object): PodSpec => ({
  ...good,
  containers: [{ ...container, securityContext: { ...container.securityContext, ...fields } }],
});
const withPods = (fields: object): PodSpec => ({
  ...good,
  securityContext: { ...good.securityContext, ...fields },
});

const REFUSED: [string, PodSpec][] = [
  ['HostProcess', withPods({ windowsOptions: { hostProcess: true } })],
  ['Host Namespaces', { ...good, hostNetwork: true }],
  ['Host Namespaces', { ...good, hostPID: true }],
  ['Host Namespaces', { ...good, hostIPC: true }],
  ['Privileged Containers', withOwn({ privileged: true })],
  ['Host Ports', { ...good, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80 }] }] }],
  [
    'Host Probes / Lifecycle Hooks',
    { ...good, containers: [{ ...container, livenessProbe: { httpGet: { host: '169.254.169.254' } } }] },
  ],
  [
    'Host Probes / Lifecycle Hooks',
    { ...good, containers: [{ ...container, lifecycle: { preStop: { tcpSocket: { host: 'db' } } } }] },
  ],
  ['AppArmor', withOwn({ appArmorProfile: { type: 'Unconfined' } })],
  ['SELinux', withOwn({ seLinuxOptions: { type: 'spc_t' } })],
  ['SELinux', withPods({ seLinuxOptions: { user: 'system_u' } })],
  ['SELinux', withPods({ seLinuxOptions: { role: 'sysadm_r' } })],
  ['/proc Mount Type', withOwn({ procMount: 'Unmasked' })],
  ['Sysctls', withPods({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] })],
  ['Volume Types', { ...good, volumes: [{ name: 'host', hostPath: { path: '/' } }] }],
  ['Volume Types', { ...good, volumes: [{ name: 'share', nfs: { server: 'nas', path: '/' } }] }],
  ['Privilege Escalation', withOwn({ allowPrivilegeEscalation: true })],
  ['Privilege Escalation', withOwn({ allowPrivilegeEscalation: undefined })],
  ['Running as Non-root', withPods({ runAsNonRoot: undefined })],
  ['Running as Non-root', withOwn({ runAsNonRoot: false })],
  ['Running as Non-root user', withPods({ runAsUser: 0 })],
  ['Running as Non-root user', withOwn({ runAsUser: 0 })],
  ['Seccomp', withPods({ seccompProfile: undefined })],
  ['Seccomp', withOwn({ seccompProfile: { type: 'Unconfined' } })],
  ['Capabilities', withOwn({ capabilities: undefined })],
  ['Capabilities', withOwn({ capabilities: { drop: ['NET_RAW'] } })],
  ['Capabilities', withOwn({ capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } })],
];

const TAKEN: [string, PodSpec][] = [
  [
    'that leaves to its containers what they set',
    { ...withOwn({ ...good.securityContext }), securityContext: {} },
  ],
  [
    'that may bind to ports below 1024',
    withOwn({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }),
  ],
  ['with a safe sysctl', withPods({ sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '60' }] })],
  ['with volumes of every kind it may have', { ...good, volumes: [{ name: 'tmp', emptyDir: {} }] }],
  [
    'with a probe that asks the pod itself',
    { ...good, containers: [{ ...container, livenessProbe: { httpGet: {} } }] },
  ],
];

describe('the profile "restricted"', () => {
  it('takes a pod that asks for nothing', () => {
    expect(refusedBy(good)).toEqual([]);
  });

  it.each(TAKEN)('takes a pod %s', (_, pod) => {
    expect(refusedBy(pod)).toEqual([]);
  });

  it.each(REFUSED)('refuses by its rule %s: %j', (rule, pod) => {
    const found = refusedBy(pod);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((one) => !one.startsWith(`${rule}: `))).toEqual([]);
  });

  it('has no rule that nothing is refused by', () => {
    expect(ruleNames.toSorted()).toEqual([...new Set(REFUSED.map(([rule]) => rule))].toSorted());
  });

  it('looks at init and ephemeral containers, too', () => {
    const bare = { name: 'bare' };
    for (const list of ['initContainers', 'ephemeralContainers']) {
      expect(refusedBy({ ...good, [list]: [bare] }).map((one) => one.split(':')[0])).toEqual([
        'Privilege Escalation',
        'Capabilities',
      ]);
    }
  });

  it('refuses AppArmor turned off by the old annotation', () => {
    const name = 'container.apparmor.security.beta.kubernetes.io/app';
    expect(refusedBy(good, { annotations: { [name]: 'unconfined' } })).toEqual([
      `AppArmor: annotation ${name} is "unconfined"`,
    ]);
    expect(refusedBy(good, { annotations: { [name]: 'runtime/default' } })).toEqual([]);
  });
});
