import { describe, expect, it } from '@jest/globals';
import { parseConfig, variablesOf, type Schema } from '@cairn/config';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/**
 * What each stage sets is held against the schemas, the network policies and the contracts, before kustomize makes anything of it:
 * a process starts with it, is let through to what it names, and is scaled by what it reads.
 */
type Env = Record<string, string>;
type Generator = { name: string; envs?: string[] };
type Manifest = ReturnType<typeof parse>;

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, 'infra/kubernetes', file), 'utf8');
const manifests = (file: string): Manifest[] => parseAllDocuments(read(file)).map((each) => each.toJS());
const APPS = ['orders', 'payments', 'notifications', 'worker', 'scheduler'];
// Computed, since a tool may not depend on an app: it looks at them from outside.
const load = async (app: string) =>
  ((await import(new URL(`../../apps/${app}/src/config.ts`, import.meta.url).href)) as { schema: Schema })
    .schema;
const schemas = Object.fromEntries(
  await Promise.all(APPS.map(async (app) => [app, await load(app)] as const)),
);

/** What External Secrets would bring, as engines in a cloud have it. */
const SECRETS: Env = {
  DATABASE_URL: 'postgres://cairn:Zk3v9Qp7@db.example:5432/cairn',
  REDIS_URL: 'rediss://:Zk3v9Qp7@cache.example:6379',
  GATEWAY_API_KEY: 'Zk3v9Qp7',
  SMTP_URL: 'smtp://cairn:Zk3v9Qp7@mail.example:587',
  S3_SECRET_ACCESS_KEY: 'Zk3v9Qp7',
};

function envOf(file: string): Env {
  const lines = read(file).split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function setBy(stage: string, field: 'configMapGenerator' | 'secretGenerator', name: string): Env {
  const generators = (parse(read(`overlays/${stage}/kustomization.yaml`))[field] ?? []) as Generator[];
  const files = generators.filter((each) => each.name === name).flatMap(({ envs = [] }) => envs);
  return Object.assign({}, ...files.map((file) => envOf(`overlays/${stage}/${file}`))) as Env;
}

function environmentOf(stage: string, app: string): Env {
  const secrets = variablesOf(schemas[app]!).filter(({ isSecret }) => isSecret);
  const cloud = Object.fromEntries(secrets.map(({ name }) => [name, SECRETS[name]!]));
  return {
    ...envOf(`base/${app}/config.env`),
    ...setBy(stage, 'configMapGenerator', `${app}-config`),
    ...(stage === 'development' ? setBy(stage, 'secretGenerator', `${app}-secret`) : cloud),
  };
}

/** Ports that the policies of an app let it out to, wherever. */
function letOutTo(app: string): number[] {
  const policies = [...manifests(`base/${app}/network.yaml`), ...manifests('base/namespace/network.yaml')];
  return policies
    .flatMap(({ spec }) => spec.egress ?? [])
    .flatMap(({ ports }: { ports: { port: number }[] }) => ports.map(({ port }) => port));
}

/** Ports at the other end: of a Service, those of its pods. */
function portsNamedBy(environment: Env): number[] {
  const schemes: Record<string, number> = { 'http:': 80, 'https:': 443 };
  return Object.entries(environment).flatMap(([name, value]) => {
    if (name === 'KAFKA_BROKERS') return value.split(',').map((broker) => Number(broker.split(':')[1]));
    // A name in tokens, not an address.
    if (name === 'JWT_ISSUER' || !URL.canParse(value) || !value.includes('://')) return [];
    const { hostname, protocol, port } = new URL(value);
    return [APPS.includes(hostname) ? portOf(hostname) : Number(port || schemes[protocol])];
  });
}

function portOf(app: string): number {
  return Number(envOf(`base/${app}/config.env`)['PORT']);
}

describe.each(['development', 'staging', 'production'])('%s', (stage) => {
  it.each(APPS)('starts %s', (app) => {
    expect(() => parseConfig(schemas[app]!, environmentOf(stage, app))).not.toThrow();
  });

  it.each(APPS)('sets nothing that %s does not read', (app) => {
    const known = variablesOf(schemas[app]!).map(({ name }) => name);
    expect(Object.keys(environmentOf(stage, app)).filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe.each(['staging', 'production'])('%s', (stage) => {
  it.each(APPS)('lets %s out to what it is told of', (app) => {
    const named = portsNamedBy(environmentOf(stage, app));
    expect(named.length).toBeGreaterThan(1);
    expect(letOutTo(app)).toEqual(expect.arrayContaining(named));
  });

  it('has its secrets where Terraform has the parameters of the stage', () => {
    const store = manifests(`overlays/${stage}/parameters.yaml`).find(({ kind }) => kind === 'SecretStore');
    const module = readFileSync(join(root, 'infra/terraform/modules/service/parameters.tf'), 'utf8');
    const path = /^ *path += "(.+)\$\{var\.app\}"$/m.exec(module)?.[1];
    expect(store.spec.provider.aws.prefix).toBe(path?.replace('${var.environment}', stage));
  });

  it('has each app in an image by digest, which the pipeline of that app alone writes', () => {
    for (const app of APPS) {
      const { images } = parse(read(`overlays/${stage}/images/${app}/kustomization.yaml`));
      expect(images).toEqual([
        {
          name: `cairn/${app}`,
          newName: expect.any(String),
          digest: expect.stringMatching(/^sha256:[\da-f]{64}$/),
        },
      ]);
    }
  });
});

describe.each(['orders', 'payments', 'notifications'])('%s is let in to', (app) => {
  it('where it listens, and nowhere else', () => {
    const ingress = manifests(`base/${app}/network.yaml`).flatMap(({ spec }) => spec.ingress ?? []);
    expect(ingress.flatMap(({ ports }) => ports)).toEqual([{ protocol: 'TCP', port: portOf(app) }]);
  });

  it('by the mesh as by the network', () => {
    const { spec } = manifests('components/mesh/authorization.yaml').find(
      ({ metadata }) => metadata.name === app,
    );
    expect(spec.rules[0].to).toEqual([{ operation: { ports: [String(portOf(app))] } }]);
    expect(spec.rules[0].from).toHaveLength(app === 'payments' ? 2 : 1);
  });
});

describe.each(
  globSync('components/keda/*.yaml', { cwd: join(root, 'infra/kubernetes') }).filter(
    (file) => !file.includes('kustomization'),
  ),
)('%s', (file) => {
  const [{ metadata, spec }] = manifests(file) as [Manifest];
  const app: string = metadata.labels['app.kubernetes.io/name'];
  const contract = JSON.parse(readFileSync(join(root, `contracts/${app}.asyncapi.json`), 'utf8'));

  it('is about the topics that its app reads, under the group that it reads them in', () => {
    const received = Object.values<{ action: string; channel: { $ref: string } }>(contract.operations)
      .filter(({ action }) => action === 'receive')
      .map(({ channel }) => channel.$ref.replace('#/channels/', ''));
    const triggers = spec.triggers as { metadata: Env }[];
    expect(triggers.map(({ metadata: { topic } }) => topic).toSorted()).toEqual(
      [...new Set(received)].toSorted(),
    );
    expect(triggers.map(({ metadata: { consumerGroup } }) => consumerGroup)).toEqual(triggers.map(() => app));
    expect(spec.scaleTargetRef.name).toBe(`${app}-consume`);
  });

  it('stops at one consumer per partition, and lets nobody stop who relays an outbox', () => {
    expect(spec.maxReplicaCount).toBeLessThanOrEqual(
      Number(envOf('base/orders/config.env')['KAFKA_PARTITIONS']),
    );
    const relays = variablesOf(schemas[app]!).some(({ name }) => name === 'OUTBOX_POLL_MS');
    expect(spec.minReplicaCount).toBeGreaterThanOrEqual(relays ? 2 : 0);
  });
});

it('runs the engines and sidecars in the versions that compose runs', () => {
  const images = (text: string) =>
    [...text.matchAll(/^ *(?:- )?image: (\S+:\S+)$/gm)].map(([, image]) => image!);
  const composed = globSync('infra/compose/*.yml', { cwd: root }).flatMap((file) =>
    images(readFileSync(join(root, file), 'utf8')),
  );
  const engines = globSync('components/engines/*.yaml', { cwd: join(root, 'infra/kubernetes') }).flatMap(
    (file) => images(read(file)),
  );
  expect(engines).toHaveLength(5);
  const [collector] = images(read('components/sidecars/deployment.yaml')).filter((image) =>
    image.startsWith('otel/'),
  );
  expect(composed).toEqual(expect.arrayContaining([...engines, collector]));
});

describe('TLS', () => {
  const { patches } = parse(read('components/tls/kustomization.yaml')) as { patches: { patch?: string }[] };
  const [{ spec: shared }] = manifests('components/tls/deployment.yaml') as [Manifest];
  const [everyContainer] = shared.template.spec.containers;
  const certificates = manifests('components/tls/certificates.yaml');
  const own = patches.flatMap(({ patch }) => {
    const made = patch === undefined ? undefined : parse(patch);
    return made?.kind === 'Deployment' ? [made.spec.template.spec] : [];
  });

  it.each(['orders', 'payments', 'notifications'])('is told to %s by variables that it reads', (app) => {
    const known = variablesOf(schemas[app]!).map(({ name }) => name);
    const told = [...everyContainer.env, ...own.flatMap(({ containers }) => containers[0].env)];
    const names = told.map(({ name }: Env) => name!);
    expect(known.filter((name) => name.startsWith('TLS_')).toSorted()).toEqual(
      [...new Set(names)].toSorted(),
    );
  });

  it('has a certificate for each of them, mounted where the variables say', () => {
    expect(own.map(({ volumes }) => volumes[0].secret.secretName)).toEqual(
      certificates.map(({ spec }) => spec.secretName),
    );
    const [{ mountPath }] = everyContainer.volumeMounts;
    expect(everyContainer.env.map(({ value }: Env) => value)).toEqual(
      ['tls.crt', 'tls.key', 'ca.crt'].map((file) => `${mountPath}/${file}`),
    );
  });

  it('lets in by name who the network lets in', () => {
    const allowed = own.map(({ containers }) => containers[0].env[0].value.split(','));
    expect(allowed).toEqual([['gateway'], ['gateway', 'orders'], ['gateway']]);
    const orders = certificates.find(({ metadata }) => metadata.name === 'orders');
    expect(orders.spec.dnsNames).toContain('orders');
    expect(orders.spec.usages).toContain('client auth');
  });

  it('leaves the probes to the port that asks nobody for a certificate', () => {
    const { startupProbe, livenessProbe, readinessProbe } = everyContainer;
    expect([startupProbe, livenessProbe, readinessProbe]).toEqual(
      Array(3).fill({ httpGet: { port: 'metrics' } }),
    );
  });
});
