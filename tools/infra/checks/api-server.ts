import { discover } from '../api-server/discovery.ts';
import { merged } from '../api-server/objects.ts';
import { apiServer } from '../api-server/server.ts';
import { trial } from '../api-server/trial.ts';
import type { Check, Control } from '../check.ts';
import { renderOverlays } from '../kubernetes/overlays.files.ts';
import { kubernetes } from '../schemas/modules.ts';

export const apiServerCheck: Check = {
  name: 'api-server',
  does: 'every overlay, by a real API server with its admission; Go builds it, which takes long the first time',
  optional: true,
  async run(root, progress) {
    const overlays = await renderOverlays(root, progress);
    const request = await apiServer(progress);
    const find = await discover(
      request,
      overlays.flatMap(({ objects }) => objects),
      progress,
    );
    const problems = new Map<string, string[]>();
    const offered = { objects: 0, pods: 0 };
    for (const { name, objects, problem } of overlays) {
      const result = await trial(request, find, objects);
      problems.set(name, [...(problem ? [problem] : []), ...result.problems]);
      offered.objects += objects.length;
      offered.pods += result.pods;
    }
    const what = `${offered.objects} objects and ${offered.pods} pods of ${overlays.length} overlays`;
    return { summary: `${what}, by Kubernetes ${kubernetes.version}`, problems: merged(problems) };
  },
  controls: controls(),
};

function controls(): Control[] {
  const deployment = 'infra/kubernetes/base/process/deployment.yaml';
  const replaced = (what: string, by: string) => (text: string) => text.replace(what, by);
  return [
    {
      does: 'a field of a Deployment is misspelt',
      file: deployment,
      change: replaced('progressDeadlineSeconds:', 'progressDeadlineSecond:'),
      expects: /Deployment\/orders-serve: .*progressDeadlineSecond: field not declared in schema/,
    },
    {
      does: 'a value is none of those that the field takes, which no schema says',
      file: deployment,
      change: replaced('whenUnsatisfiable: ScheduleAnyway', 'whenUnsatisfiable: ScheduleSomehow'),
      expects: /Deployment\/orders-serve: .*whenUnsatisfiable: Unsupported value: "ScheduleSomehow"/,
    },
    {
      does: 'a container may gain privileges',
      file: deployment,
      change: replaced('allowPrivilegeEscalation: false', 'privileged: true'),
      expects: /a pod of Deployment\/orders-serve: .* violates PodSecurity "restricted:[^"]*": privileged/,
    },
    {
      does: 'the account of a process is not there',
      file: 'infra/kubernetes/base/orders/account.yaml',
      change: replaced('name: orders', 'name: order'),
      expects: /a pod of Deployment\/orders-serve: .*serviceaccount "orders" not found/,
    },
    {
      does: 'the namespace is held to nothing',
      file: 'infra/kubernetes/base/namespace/namespace.yaml',
      change: replaced(
        'pod-security.kubernetes.io/enforce: restricted',
        'pod-security.kubernetes.io/enforce: baseline',
      ),
      expects: /namespace cairn lacks the label pod-security\.kubernetes\.io\/enforce: restricted/,
    },
    {
      does: 'a field of a ScaledObject, which a CustomResourceDefinition defines, is renamed',
      file: 'infra/kubernetes/components/keda/worker.yaml',
      change: replaced('minReplicaCount:', 'minReplicas:'),
      expects: /ScaledObject\/worker-consume: .*\.spec\.minReplicas: field not declared in schema/,
    },
  ];
}
