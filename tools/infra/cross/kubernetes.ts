import {
  idOf,
  workloadsOf,
  type Container,
  type KubernetesObject,
  type Workload,
} from '../kubernetes/manifests.ts';
import { callsOf } from '../apps/calls.ts';
import { appOfImage, NO_APPS } from './compose.ts';
import type { App } from '../apps/app.ts';
import type { Use } from './uses.ts';

type Handler = { httpGet?: { path?: string; port: string | number } };
type Selector = Record<string, string>;
/** What of an object is not about an app, but about another object. */
export type Found = { uses: Use[]; problems: string[] };

const NAME = 'app.kubernetes.io/name';
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

/** What the objects of an overlay say about apps, and where they name each other wrongly. */
export function usesInKubernetes(overlay: string, objects: KubernetesObject[], apps: App[]): Found {
  const workloads = workloadsOf(objects);
  const found = [
    ...workloads.map((workload) => ofWorkload(overlay, workload, objects, apps)),
    ...objects.map((object) => ofObject(overlay, object, workloads)),
  ];
  return { uses: found.flatMap(({ uses }) => uses), problems: found.flatMap(({ problems }) => problems) };
}

function ofWorkload(
  overlay: string,
  { id, metadata, pod }: Workload,
  objects: KubernetesObject[],
  apps: App[],
): Found {
  const at = `${overlay}: ${id}`;
  const found = pod.containers.map((container): Found => {
    const app = appOfImage(container.image, NO_APPS);
    if (app === undefined) return { uses: [], problems: [] };
    const { values, elsewhere, problems } = environmentOf(at, container, objects);
    const label = metadata.labels?.[NAME];
    if (label !== app)
      problems.push(`${at}: its pods run ${app} and are labelled ${NAME}: ${label}: label them ${app}`);
    const calls = Object.entries(values).flatMap(([name, value]) =>
      callsOf(value, apps).map((call) => callOf(`${at}: ${name}`, call, objects)),
    );
    const uses: Use[] = [
      { at, app, what: 'image' },
      { at, app, what: 'environment', values, elsewhere, mounted: mountsOf(container) },
      { at, app, what: 'command', command: container.args?.[0] ?? 'all' },
      ...portsOf(at, app, container, metadata.annotations ?? {}),
      ...calls,
    ];
    return { uses, problems: [...problems, ...unnamedPorts(at, container)] };
  });
  return { uses: found.flatMap(({ uses }) => uses), problems: found.flatMap(({ problems }) => problems) };
}

/** A name of the cluster has the ports of its Service. */
function callOf(at: string, { app, port }: { app: App; port: number }, objects: KubernetesObject[]): Use {
  const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === app.name);
  const { ports = [] } = (service?.spec ?? {}) as { ports?: { port: number }[] };
  return { at, app: app.name, what: 'call', port, open: ports.map((one) => one.port) };
}

function mountsOf(container: Container): string[] {
  const mounts = (container['volumeMounts'] ?? []) as { mountPath: string }[];
  return mounts.map(({ mountPath }) => mountPath);
}

function environmentOf(at: string, { env = [], envFrom = [] }: Container, objects: KubernetesObject[]) {
  const [values, elsewhere, problems]: [Record<string, string>, string[], string[]] = [{}, [], []];
  const missing = (kind: string, name: string) =>
    problems.push(
      `${at}: takes its environment from ${kind}/${name}, which nothing makes: name one that is made`,
    );
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef) {
      const map = objects.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name,
      );
      if (!map) missing('ConfigMap', configMapRef.name);
      Object.assign(values, map?.data);
    }
    if (secretRef) {
      const keys = secretOf(secretRef.name, objects);
      if (!keys) missing('Secret', secretRef.name);
      Object.assign(values, keys?.values);
      elsewhere.push(...(keys?.elsewhere ?? []));
    }
  }
  for (const { name, value } of env) {
    if (value === undefined) elsewhere.push(name);
    else values[name] = value;
  }
  return { values, elsewhere, problems };
}

/** A Secret's values, or the keys of the ExternalSecret that makes it. */
function secretOf(name: string, objects: KubernetesObject[]) {
  for (const { kind, metadata, data = {}, stringData = {}, spec } of objects) {
    if (kind === 'Secret' && metadata.name === name) {
      const decoded = Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]);
      return {
        values: { ...Object.fromEntries(decoded), ...stringData } as Record<string, string>,
        elsewhere: [],
      };
    }
    const { target, data: keys = [] } = (spec ?? {}) as {
      target?: { name: string };
      data?: { secretKey: string }[];
    };
    if (kind === 'ExternalSecret' && target?.name === name) {
      return { values: {}, elsewhere: keys.map(({ secretKey }) => secretKey) };
    }
  }
  return undefined;
}

/** The handlers that ask a container by HTTP. */
function handlersOf(container: Container): [string, Handler['httpGet']][] {
  const { preStop, postStart } = (container['lifecycle'] ?? {}) as Record<string, Handler>;
  const handlers = {
    ...Object.fromEntries(PROBES.map((name) => [name, container[name]])),
    preStop,
    postStart,
  };
  return Object.entries(handlers).map(([name, handler]) => [name, (handler as Handler | undefined)?.httpGet]);
}

function portsOf(at: string, app: string, container: Container, annotations: Record<string, string>): Use[] {
  const { ports = [] } = container;
  const numberOf = (port: string | number) =>
    typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? 0);
  const declared = ports.map(({ name = '', containerPort }): Use => {
    const server = name === 'http' ? 'http' : name === 'metrics' ? 'management' : 'any';
    return { at: `${at}: port ${name}`, app, what: 'port', port: containerPort, server };
  });
  const asked = handlersOf(container).flatMap(([name, httpGet]): Use[] => {
    const port = numberOf(httpGet?.port ?? 0);
    const what = PROBES.includes(name) ? 'probe' : 'path';
    return httpGet && port ? [{ at: `${at}: ${name}`, app, what, path: httpGet.path ?? '/', port }] : [];
  });
  const scraped = annotations['prometheus.io/port'];
  const path = annotations['prometheus.io/path'] ?? '/metrics';
  return [
    ...declared,
    ...asked,
    ...(scraped
      ? [{ at: `${at}: prometheus.io/port`, app, what: 'path', path, port: Number(scraped) } as const]
      : []),
  ];
}

function unnamedPorts(at: string, container: Container): string[] {
  return handlersOf(container).flatMap(([name, httpGet]) =>
    typeof httpGet?.port === 'string' && !container.ports?.some((port) => port.name === httpGet.port)
      ? [
          `${at}: ${name} asks port "${httpGet.port}", which the container does not have: name one of its ports`,
        ]
      : [],
  );
}

/** Services, policies and scalers: which app they select, and which of its ports, topics and pods. */
function ofObject(overlay: string, object: KubernetesObject, workloads: Workload[]): Found {
  const at = `${overlay}: ${idOf(object)}`;
  const spec = (object.spec ?? {}) as Record<string, unknown>;
  if (object.kind === 'Service') return ofService(at, spec as ServiceSpec, workloads);
  if (object.kind === 'NetworkPolicy') return { uses: ofNetworkPolicy(at, spec as PolicySpec), problems: [] };
  if (object.kind === 'AuthorizationPolicy')
    return { uses: ofAuthorization(at, spec as AuthorizationSpec), problems: [] };
  if (object.kind === 'PodDisruptionBudget') {
    return {
      uses: [],
      problems: selectsNone(at, (spec['selector'] as { matchLabels: Selector }).matchLabels, workloads),
    };
  }
  if ('scaleTargetRef' in spec) return ofScaler(at, spec as ScalerSpec, workloads);
  return { uses: [], problems: [] };
}

const matches = (selector: Selector, labels: Selector = {}) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

function selectsNone(at: string, selector: Selector, workloads: Workload[]): string[] {
  if (workloads.some(({ metadata }) => matches(selector, metadata.labels))) return [];
  return [`${at}: selects no pod by ${JSON.stringify(selector)}: use the labels of a pod template`];
}

type ServiceSpec = { selector?: Selector; ports?: { port: number; targetPort?: string | number }[] };

function ofService(at: string, { selector, ports = [] }: ServiceSpec, workloads: Workload[]): Found {
  if (!selector) return { uses: [], problems: [] };
  const selected = workloads.filter(({ metadata }) => matches(selector, metadata.labels));
  const open = selected.flatMap(({ pod }) => pod.containers.flatMap((container) => container.ports ?? []));
  const closed = ports.filter(({ port, targetPort = port }) =>
    open.every(({ name, containerPort }) => name !== targetPort && containerPort !== targetPort),
  );
  const problems = closed.map(
    ({ port, targetPort = port }) =>
      `${at}: its port ${port} leads to "${targetPort}", which no pod that it selects has: name a port of theirs`,
  );
  return { uses: [], problems: selected.length ? problems : selectsNone(at, selector, workloads) };
}

type Ports = { port: number | string }[];
type PolicySpec = {
  podSelector?: { matchLabels?: Selector };
  ingress?: { ports?: Ports }[];
  egress?: { to?: { podSelector?: { matchLabels?: Selector } }[]; ports?: Ports }[];
};

function ofNetworkPolicy(at: string, { podSelector, ingress = [], egress = [] }: PolicySpec): Use[] {
  const uses = (labels: Selector | undefined, ports: Ports = []): Use[] => {
    const app = labels?.[NAME];
    const numbers = ports.flatMap(({ port }) => (typeof port === 'number' ? [port] : []));
    // What else is in the cluster (engines, simulators) has ports of its own.
    return app === undefined || !labels?.['app.kubernetes.io/component'] || NO_APPS.includes(app)
      ? []
      : numbers.map((port) => ({ at, app, what: 'port', port, server: 'any' }) as const);
  };
  return [
    ...ingress.flatMap(({ ports }) => uses(podSelector?.matchLabels, ports)),
    ...egress.flatMap(({ to = [], ports }) =>
      to.flatMap((peer) => uses(peer.podSelector?.matchLabels, ports)),
    ),
  ];
}

type AuthorizationSpec = {
  selector?: { matchLabels?: Selector };
  rules?: { to?: { operation?: { ports?: string[] } }[] }[];
};

function ofAuthorization(at: string, { selector, rules = [] }: AuthorizationSpec): Use[] {
  const app = selector?.matchLabels?.[NAME];
  if (app === undefined || NO_APPS.includes(app)) return [];
  const ports = rules.flatMap(({ to = [] }) => to.flatMap(({ operation }) => operation?.ports ?? []));
  return ports.map((port) => ({ at, app, what: 'port', port: Number(port), server: 'any' }));
}

type ScalerSpec = {
  scaleTargetRef: { name: string; kind?: string };
  triggers?: { type: string; metadata: Record<string, string> }[];
};

function ofScaler(at: string, { scaleTargetRef, triggers = [] }: ScalerSpec, workloads: Workload[]): Found {
  const id = `${scaleTargetRef.kind ?? 'Deployment'}/${scaleTargetRef.name}`;
  const target = workloads.find((workload) => workload.id === id);
  if (!target)
    return { uses: [], problems: [`${at}: scales ${id}, which is not there: name a Deployment that is`] };
  const app = target.metadata.labels?.[NAME] ?? '';
  const uses = triggers
    .filter(({ type }) => type === 'kafka')
    .flatMap(
      ({ metadata: { topic = '', consumerGroup: group = '', bootstrapServersFromEnv: name } }): Use[] => [
        { at, app, what: 'subscription', topic, group },
        ...(name === undefined ? [] : [{ at, app, what: 'variable', name } as const]),
      ],
    );
  return { uses, problems: [] };
}
