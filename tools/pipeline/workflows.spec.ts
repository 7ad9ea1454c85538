import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { repoRoot } from '../stack/paths.ts';
import { pipelines } from './affected.ts';

const workflow = (name: string) => readFileSync(join(repoRoot, '.github/workflows', `${name}.yml`), 'utf8');
const all = globSync('.github/workflows/*.yml', { cwd: repoRoot }).map((file) => basename(file, '.yml'));
type Job = {
  steps?: { run?: string }[];
  needs?: string | string[];
  if?: string;
  env?: Record<string, string>;
};
const jobs = (name: string) => (parse(workflow(name), { merge: true }) as { jobs: Record<string, Job> }).jobs;

describe('the workflows of the apps', () => {
  it('are there for each project that has an image', () => {
    const manifests = globSync(['apps/*/package.json', 'infra/simulators/package.json'], { cwd: repoRoot });
    const folders = manifests.map((file) => file.replace('/package.json', '')).sort();
    expect(
      pipelines(repoRoot)
        .map(({ folder }) => folder)
        .sort(),
    ).toEqual(folders);
  });

  it('differ in the app and its folder only', () => {
    const plain = ({ app, folder }: { app: string; folder: string }) =>
      workflow(app).replaceAll(folder, 'FOLDER').replaceAll(app, 'APP');
    const deployed = pipelines(repoRoot).filter(({ app }) => app !== 'simulators');
    expect(new Set(deployed.map(plain)).size).toBe(1);
  });
});

describe('the reusable workflow', () => {
  const { release, staging, production } = jobs('app');

  it('brings to production the digest that staging ran, which is the one that was built', () => {
    expect([production?.needs, staging?.needs]).toEqual([['release', 'staging'], 'release']);
    expect(production?.env?.['DIGEST']).toBe(staging?.env?.['DIGEST']);
    expect(production?.env?.['DIGEST']).toBe('${{ needs.release.outputs.digest }}');
  });

  it('deploys by the same steps to both', () => {
    expect(production?.steps).toEqual(staging?.steps);
  });

  it('releases from main only, and never what a pull request holds', () => {
    expect(release?.if).toBe("github.event_name != 'pull_request' && github.ref == 'refs/heads/main'");
  });

  it('names steps that there are', () => {
    const used = all.flatMap((name) =>
      [...workflow(name).matchAll(/tools\/pipeline\/step\.ts (\w+)/g)].map(([, step]) => step!),
    );
    const { stderr, status } = spawnSync(process.execPath, ['tools/pipeline/step.ts'], {
      cwd: repoRoot,
      encoding: 'utf8',
    });
    const known = /There are: (.*)/.exec(stderr)?.[1]?.split(', ') ?? [];
    expect(status).toBe(2);
    expect([...new Set(used)].sort()).toEqual(known.filter((step) => step !== 'rollback').sort());
    expect(workflow('rollback')).toContain('options: [rollback, restore]');
  });
});
