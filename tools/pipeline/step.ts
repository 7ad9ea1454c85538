import { appendFileSync } from 'node:fs';
import { goTool } from '../infra/programs/go.ts';
import { repoRoot } from '../stack/paths.ts';
import { runOrFail } from '../stack/programs.ts';
import { printer, step as told } from '../stack/progress.ts';
import { affectedApps } from './affected.ts';
import { AwsPlatform } from './aws.platform.ts';
import { lint, test } from './check.ts';
import { Cosign } from './cosign.client.ts';
import { Crane, ledgerIn } from './crane.client.ts';
import { promote, restore, rollback, type Delivery } from './promote.ts';
import { buildOnce, release, sourceOf, type Tools } from './release.ts';

/**
 * `node tools/pipeline/step.ts <step>`: a step of `.github/workflows/app.yml`, by the code that `npm run pipeline` runs here. What
 * it has to know is in the environment, as a workflow gives it: APP, FOLDER, BASE, REPOSITORY, PLATFORMS, DIGEST, ENVIRONMENT,
 * SMOKE_URL. What it tells the next step goes to GITHUB_OUTPUT.
 */
const STEPS: Record<string, () => Promise<void>> = {
  affected: async () => {
    const apps = await affectedApps(repoRoot, process.env['BASE'] ?? '');
    console.log(`affected: ${apps.join(', ') || 'none'}`);
    output('affected', apps.includes(given('APP')) ? 'true' : '');
  },
  lint: () => lint(repoRoot, given('FOLDER')),
  test: () => test(repoRoot, given('FOLDER')),
  build: async () => {
    const platforms = (process.env['PLATFORMS'] ?? '').split(',').filter(Boolean);
    const digest = await buildOnce(await tools(), await source(), repository(), platforms);
    output('digest', digest);
    output('image', `${repository()}@${digest}`);
  },
  release: async () => {
    const built = await release(await tools(), await source(), repository(), given('DIGEST'));
    const { digest, components, files, advisories } = built;
    console.log(`${digest}: ${components} packages, ${files} files scanned; known weaknesses: ${advisories}`);
  },
  promote: async () => promote(await delivery(), given('ENVIRONMENT'), given('DIGEST')),
  rollback: async () => console.log(`runs ${await rollback(await delivery(), given('ENVIRONMENT'))}`),
  restore: async () => console.log(`runs ${await restore(await delivery(), given('ENVIRONMENT'))}`),
};

const name = process.argv[2] ?? '';
const run = Object.hasOwn(STEPS, name) ? STEPS[name] : undefined;
if (!run) {
  console.error(`no step "${name}". There are: ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
process.exitCode = await run().then(
  () => 0,
  (error: unknown) => {
    const { message, cause } = error as Error;
    console.error(`✗ ${message}${cause instanceof Error ? `\n  ${cause.message}` : ''}`);
    return 1;
  },
);
process.exit();

async function tools(): Promise<Tools> {
  const report = printer();
  const step: Tools['step'] = (what, message, work, detail) => told(report, what, message, work, detail);
  const crane = new Crane(await goTool('crane', console.log));
  const cosign = new Cosign(await goTool('cosign', console.log), { workflow: releasing() });
  return { root: repoRoot, crane, cosign, step };
}

/** The one workflow, of the one branch, whose signature counts. */
function releasing(): string {
  return `${given('GITHUB_SERVER_URL')}/${given('GITHUB_REPOSITORY')}/.github/workflows/app.yml@refs/heads/main`;
}

async function source() {
  const git = (...args: string[]) => runOrFail('git', args, { cwd: repoRoot });
  const url = `${given('GITHUB_SERVER_URL')}/${given('GITHUB_REPOSITORY')}`;
  return { ...(await sourceOf(repoRoot, given('APP'), given('FOLDER'), git)), url };
}

async function delivery(): Promise<Delivery> {
  const { crane, cosign, step } = await tools();
  const [environment, app] = [given('ENVIRONMENT'), given('APP')];
  const url = process.env['SMOKE_URL'];
  return {
    platform: new AwsPlatform({ root: repoRoot, environment, app, repository: repository(), url }),
    ledger: ledgerIn(crane, repository()),
    verify: (digest) => cosign.verify(`${repository()}@${digest}`),
    step,
  };
}

/** A registry knows small letters only, an owner at GitHub has what letters he likes. */
const repository = () => given('REPOSITORY').toLowerCase();

function given(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: the workflow gives it to this step`);
  return value;
}

function output(key: string, value: string): void {
  const file = process.env['GITHUB_OUTPUT'];
  if (file) appendFileSync(file, `${key}=${value}\n`);
  else console.log(`${key}=${value}`);
}
