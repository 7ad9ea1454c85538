import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Check, Control } from '../check.ts';
import type { App } from '../apps/app.ts';
import { appsIn } from '../apps/app.files.ts';
import { usesInCompose } from '../cross/compose.ts';
import { usesInKubernetes, type Found } from '../cross/kubernetes.ts';
import { usesInBalancer, usesInDockerfile, usesInParameters, usesInPrometheus } from '../cross/others.ts';
import { judge, type Use } from '../cross/uses.ts';
import { renderOverlays } from '../kubernetes/overlays.files.ts';
import { CONTROLS } from './cross.controls.ts';

const uses = (found: Use[]): Found => ({ uses: found, problems: [] });
type Reader = (file: string, text: string, apps: App[]) => Found;
/** Which files say something about apps, and how each is read. */
const READERS: [string, Reader][] = [
  ['infra/docker/app.Dockerfile', (...given) => uses(usesInDockerfile(...given))],
  ['{docker-compose.yml,infra/compose/*.yml}', (...given) => uses(usesInCompose(...given))],
  ['infra/compose/edge/haproxy.cfg', (file, text) => uses(usesInBalancer(file, text))],
  ['infra/observability/prometheus/prometheus.yml', usesInPrometheus],
  [
    'infra/terraform/parameters/*.json',
    (file, text) => uses(usesInParameters(file, text, basename(file, '.json'))),
  ],
];

export const cross: Check = {
  name: 'cross',
  does: 'every image, port, path, variable, command and probe, against the schemas and the code of the apps',
  async run(root, progress) {
    const apps = await appsIn(root);
    const found = READERS.flatMap(([pattern, read]) => {
      const files = globSync(pattern, { cwd: root }).sort();
      if (!files.length)
        return [{ uses: [], problems: [`${pattern} is not there: adapt tools/infra/checks/cross.ts`] }];
      return files.map((file) => read(file, readFileSync(join(root, file), 'utf8'), apps));
    });
    for (const { folder, objects, problem } of await renderOverlays(root, progress)) {
      found.push(problem ? { uses: [], problems: [problem] } : usesInKubernetes(folder, objects, apps));
    }
    const all = found.flatMap((one) => one.uses);
    const problems = [...found.flatMap((one) => one.problems), ...all.flatMap((use) => judge(use, apps))];
    return {
      summary: `${apps.length} apps, ${all.length} mentions of them in ${found.length} files and overlays`,
      problems: [...new Set(problems)],
    };
  },
  controls: CONTROLS satisfies Control[],
};
