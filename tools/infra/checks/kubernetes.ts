import type { Check, Say } from '../check.ts';
import { EXCEPTIONS } from '../kubernetes/exceptions.ts';
import { objectionsIn, unexplained, type Objection, type Scored } from '../kubernetes/lint.ts';
import { idOf, workloadsOf, type KubernetesObject } from '../kubernetes/manifests.ts';
import { renderOverlays, type Overlay } from '../kubernetes/overlays.files.ts';
import { refusedBy } from '../kubernetes/pod-security.ts';
import { goTool } from '../programs/go.ts';
import { run } from '../programs/run.ts';
import { schemaLocations } from '../schemas/schemas.files.ts';

const VERSION = '1.36';
const ENFORCE = 'pod-security.kubernetes.io/enforce';
type Judged = { kind: string; name: string; status: string; msg: string };

export const kubernetes: Check = {
  name: 'kubernetes',
  does: `every overlay, by kustomize, kubeconform (Kubernetes ${VERSION}), kube-score and the profile "restricted"`,
  async run(root, progress) {
    const overlays = await renderOverlays(root, progress);
    const built = overlays.filter(({ problem }) => problem === undefined);
    const locations = await schemaLocations(progress);
    const judged = await Promise.all(
      built.map(async (overlay) => ({
        problems: [...(await invalid(overlay, locations, progress)), ...insecure(overlay.objects)].map(
          (problem) => `${overlay.folder}: ${problem}`,
        ),
        objections: await objectionsTo(overlay, progress),
      })),
    );
    const objections = judged.flatMap((one) => one.objections);
    const problems = [
      ...overlays.flatMap(({ problem }) => problem ?? []),
      ...judged.flatMap((one) => one.problems),
      ...unexplained(objections, EXCEPTIONS).map((one) => `kube-score: ${one}`),
    ];
    const count = built.reduce((sum, { objects }) => sum + objects.length, 0);
    return { summary: `${overlays.length} overlays, ${count} objects`, problems };
  },
  controls: [
    {
      does: 'a field is misspelt',
      file: 'infra/kubernetes/base/orders/serve.yaml',
      change: (text) => text.replace('targetPort:', 'targetport:'),
      expects: /production: Service\/orders: .*targetport/i,
    },
    {
      does: 'a field of another kind of object that is added to Kubernetes is misspelt',
      file: 'infra/kubernetes/components/keda/worker.yaml',
      change: (text) => text.replace('minReplicaCount', 'minReplicasCount'),
      expects: /ScaledObject\/worker.*minReplicasCount/,
    },
    {
      does: 'an overlay patches something that is not there',
      file: 'infra/kubernetes/overlays/production/kustomization.yaml',
      change: (text) => text.replace('path: size-serve.yaml', 'path: size-serves.yaml'),
      expects: /production can't be built: .*size-serves/s,
    },
    {
      does: 'containers may gain privileges',
      file: 'infra/kubernetes/base/process/deployment.yaml',
      change: (text) => text.replace('allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true'),
      expects: /Deployment\/orders-serve: Privilege Escalation: container app/,
    },
    {
      does: 'the namespace takes any pod',
      file: 'infra/kubernetes/base/namespace/namespace.yaml',
      change: (text) => text.replaceAll('restricted', 'baseline'),
      expects: /Namespace\/cairn does not enforce the profile "restricted"/,
    },
    {
      does: 'a container has no limit of memory',
      file: 'infra/kubernetes/base/payments/serve.yaml',
      change: (text) => text.replace(/memory: 256Mi/, 'ephemeral-storage: 1Gi'),
      expects: /Deployment\/payments-serve: .*container-resources/,
    },
  ],
};

async function invalid({ yaml }: Overlay, locations: string[], progress: Say): Promise<string[]> {
  const kubeconform = await goTool('kubeconform', progress);
  const where = locations.flatMap((location) => ['-schema-location', location]);
  const args = ['-strict', '-output', 'json', '-kubernetes-version', `${VERSION}.0`, ...where];
  const { stdout, stderr } = await run(kubeconform, [...args, '-'], { input: yaml });
  if (!stdout) throw new Error(`kubeconform failed: ${stderr}`);
  const { resources = [] } = JSON.parse(stdout) as { resources?: Judged[] };
  return resources.map(({ kind, name, msg }) => `${kind}/${name}: ${msg}`);
}

/** What the profile "restricted" refuses, and namespaces that would not refuse it. */
function insecure(objects: KubernetesObject[]): string[] {
  const open = objects
    .filter(({ kind, metadata }) => kind === 'Namespace' && metadata.labels?.[ENFORCE] !== 'restricted')
    .map(
      (namespace) => `${idOf(namespace)} does not enforce the profile "restricted": label it with ${ENFORCE}`,
    );
  const refused = workloadsOf(objects).flatMap(({ id, pod, metadata }) =>
    refusedBy(pod, metadata).map((what) => `${id}: ${what}`),
  );
  return [...open, ...refused];
}

async function objectionsTo({ name, yaml }: Overlay, progress: Say): Promise<Objection[]> {
  const kubeScore = await goTool('kube-score', progress);
  const args = ['score', '--output-format=json', `--kubernetes-version=v${VERSION}`, '-'];
  const { stdout, stderr } = await run(kubeScore, args, { input: yaml });
  if (!stdout) throw new Error(`kube-score failed: ${stderr}`);
  return objectionsIn(name, JSON.parse(stdout) as Scored[]);
}
