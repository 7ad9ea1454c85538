import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOrFail } from '../stack/programs.ts';

/** What one app's workflow tells the reusable one: the whole of what differs between the pipelines. */
export type Pipeline = {
  /** The file's name without `.yml`, and the project's without `@cairn/`. */
  app: string;
  /** Where the project lives, from the root. */
  folder: string;
};

/** The pipelines that there are: the workflows that call `app.yml`, by name. */
export function pipelines(root: string): Pipeline[] {
  const folder = join(root, '.github/workflows');
  return readdirSync(folder)
    .toSorted()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .filter((text) => text.includes('uses: ./.github/workflows/app.yml'))
    .map((text) => ({ app: value(text, 'app'), folder: value(text, 'folder') }));
}

/**
 * The apps whose pipelines have something to do between two commits: those that nx calls affected, by their own files, by a
 * library that they use, or by what goes into every image (`sharedGlobals` in nx.json).
 * @param base the commit to compare with; one that git does not know (a new branch, a forced push) means everything
 */
export async function affectedApps(root: string, base: string, head = 'HEAD'): Promise<string[]> {
  const known = await isCommit(root, base);
  const range = known ? ['--affected', `--base=${base}`, `--head=${head}`] : [];
  const nx = join(root, 'node_modules/nx/dist/bin/nx.js');
  const out = await runOrFail(process.execPath, [nx, 'show', 'projects', '--json', ...range], { cwd: root });
  const projects = JSON.parse(out.slice(out.indexOf('['))) as string[];
  return pipelines(root)
    .map(({ app }) => app)
    .filter((app) => projects.includes(`@cairn/${app}`));
}

async function isCommit(root: string, name: string): Promise<boolean> {
  if (!name) return false;
  return runOrFail('git', ['rev-parse', '--quiet', '--verify', `${name}^{commit}`], { cwd: root }).then(
    () => true,
    () => false,
  );
}

function value(workflow: string, input: string): string {
  const found = new RegExp(`^ +${input}: (\\S+)$`, 'm').exec(workflow)?.[1];
  if (!found) throw new Error(`a workflow that calls app.yml has no \`${input}:\` below \`with:\``);
  return found;
}
