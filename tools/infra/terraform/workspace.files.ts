import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Say } from '../check.ts';
import { goTool } from '../programs/go.ts';
import { run, type Result } from '../programs/run.ts';
import { scratch, socketScratch } from '../scratch.ts';
import { schemaProvider, type Types } from './provider.files.ts';
import { problemOf, resolvedBy, type Diagnostic, type Resource } from './resolved.ts';

const FOLDER = 'infra/terraform';

/** A copy of the configuration in which OpenTofu works: it leaves files beside what it reads. */
export type Workspace = {
  files: number;
  /** Folders of what is applied: the stages and delivery. */
  roots: string[];
  unformatted: () => Promise<string[]>;
  validated: (folder: string) => Promise<string[]>;
  /** Runs the tests of a folder. */
  tested: (folder: string) => Promise<{ passed: number; problems: string[] }>;
  /** Everything that applying a stage would make, what is computed mocked. */
  resolved: (folder: string) => Promise<{ resources: Resource[]; problems: string[] }>;
};

/** @param root the folder whose infra/terraform is judged */
export async function workspace(root: string, progress: Say): Promise<Workspace> {
  const tofu = await goTool('tofu', progress);
  const place = scratch('terraform');
  cpSync(join(root, FOLDER), join(place, FOLDER), { recursive: true });
  const all = globSync('**/*.{tf,tfvars,tftest.hcl}', { cwd: join(place, FOLDER) });
  const files = all.filter((file) => file.endsWith('.tf'));
  const { mirror, env: forProvider } = await schemaProvider(typesIn(join(place, FOLDER), files), progress);
  const config = join(place, 'tofu.rc');
  // Only what is in the mirror: nothing is asked from a registry.
  writeFileSync(config, `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`);
  const env = {
    ...process.env,
    ...forProvider,
    TF_CLI_CONFIG_FILE: config,
    TF_IN_AUTOMATION: '1',
    // Providers leave their sockets there (go-plugin: at its end the process is faster than its own removal of them).
    TMPDIR: socketScratch(),
  };
  const call = (folder: string, ...args: string[]) =>
    run(tofu, [`-chdir=${join(place, FOLDER, folder)}`, ...args], { env });
  const ready = new Map<string, Promise<string[]>>();
  const init = (folder: string) => {
    const known = ready.get(folder) ?? initiated(folder, call);
    ready.set(folder, known);
    return known;
  };
  return {
    files: all.length,
    roots: [...globSync('environments/*', { cwd: join(place, FOLDER) }).sort(), 'delivery'],
    unformatted: async () => unformattedIn(await call('.', 'fmt', '-check', '-recursive', '-diff')),
    validated: async (folder) => {
      const problems = await init(folder);
      return problems.length ? problems : validate(folder, await call(folder, 'validate', '-json'));
    },
    tested: async (folder) => {
      const problems = await init(folder);
      return problems.length ? { passed: 0, problems } : testsOf(folder, await call(folder, 'test', '-json'));
    },
    resolved: async (folder) => {
      writeFileSync(join(place, FOLDER, folder, 'resolved.tftest.hcl'), RESOLVE);
      const problems = await init(folder);
      if (problems.length) return { resources: [], problems };
      const result = await call(
        folder,
        'test',
        '-json',
        '-verbose',
        '-var-file=example.tfvars',
        '-filter=resolved.tftest.hcl',
      );
      return resolution(folder, result);
    },
  };
}

function typesIn(folder: string, files: string[]): Types {
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const named = (kind: string) =>
    [
      ...new Set(
        texts.flatMap((text) =>
          [...text.matchAll(new RegExp(`^${kind} "(\\w+)"`, 'gm'))].map(([, type]) => type!),
        ),
      ),
    ].sort();
  return { resources: named('resource'), dataSources: named('data') };
}

type Call = (folder: string, ...args: string[]) => Promise<Result>;

async function initiated(folder: string, call: Call): Promise<string[]> {
  const { code, stderr, stdout } = await call(folder, 'init', '-backend=false', '-input=false', '-no-color');
  if (code === 0) return [];
  const said = (stderr || stdout).replaceAll(/[│╷╵]/g, ' ').replaceAll(/\s+/g, ' ').trim();
  return [`${FOLDER}/${folder} can't be initialised: ${said}`];
}

function unformattedIn({ code, stdout, stderr }: Result): string[] {
  if (code === 0) return [];
  const files = stdout.split('\n').filter((line) => /^[\w./-]+\.(tf|tfvars|hcl)$/.test(line));
  // What can't be parsed can't be formatted.
  if (!files.length) return [`${FOLDER}: ${stderr.replaceAll(/\s+/g, ' ').trim()}`];
  return files.map(
    (file) => `${FOLDER}/${file} is not formatted: tofu fmt (or terraform fmt) -recursive ${FOLDER}`,
  );
}

function validate(folder: string, { stdout, stderr }: Result): string[] {
  if (!stdout.startsWith('{')) return [`${FOLDER}/${folder}: ${stderr.trim()}`];
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  return diagnostics.map((diagnostic) => problemOf(diagnostic, `${FOLDER}/${folder}`));
}

function testsOf(folder: string, { stdout, stderr, code }: Result) {
  const { diagnostics } = resolvedBy(stdout);
  const passed = stdout
    .split('\n')
    .filter((line) => line.includes('"test_run"') && line.includes('"pass"')).length;
  const problems = diagnostics
    .filter(({ severity }) => severity === 'error')
    .map((diagnostic) => problemOf(diagnostic, `${FOLDER}/${folder}`));
  if (code !== 0 && !problems.length)
    problems.push(`${FOLDER}/${folder}: tofu test failed: ${stderr || stdout}`);
  return { passed, problems };
}

function resolution(folder: string, result: Result) {
  const { problems } = testsOf(folder, result);
  const { resources } = resolvedBy(result.stdout);
  if (!resources.length && !problems.length)
    problems.push(`${FOLDER}/${folder}: nothing would be made: ${result.stderr}`);
  return { resources, problems };
}

const RESOLVE = readFileSync(join(import.meta.dirname, 'resolved.tftest.hcl'), 'utf8');
