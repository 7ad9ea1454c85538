import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Say } from '../check.ts';
import { goTool } from '../programs/go.ts';
import { run } from '../programs/run.ts';
import { objectsOf, type KubernetesObject } from './manifests.ts';

export type Overlay = {
  name: string;
  /** From the root. */
  folder: string;
  /** What would be applied, as text and as objects. Empty when it can't be built. */
  yaml: string;
  objects: KubernetesObject[];
  /** Why it can't be built. */
  problem?: string;
};

/** What kustomize makes of every folder of infra/kubernetes/overlays. */
export async function renderOverlays(root: string, progress: Say): Promise<Overlay[]> {
  const kustomize = await goTool('kustomize', progress);
  const folders = globSync('infra/kubernetes/overlays/*/kustomization.yaml', { cwd: root }).map(dirname);
  return Promise.all(
    folders.sort().map(async (folder) => {
      const overlay = { name: basename(folder), folder, yaml: '', objects: [] };
      const { code, stdout, stderr } = await run(kustomize, ['build', join(root, folder)]);
      if (code !== 0) return { ...overlay, problem: `${folder} can't be built: ${stderr.trim()}` };
      return { ...overlay, yaml: stdout, objects: objectsOf(stdout) };
    }),
  );
}
