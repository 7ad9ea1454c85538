import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { requireEngine } from '../images/docker.client.ts';
import { goTool } from '../infra/programs/go.ts';
import { onEngines, type Engines } from '../local/engines.ts';
import { answers, freeAppPorts, startSimulators, type AppName, type AppPorts } from '../local/apps.ts';
import { startChild, type Child } from '../stack/child.ts';
import { logFile, repoRoot, stackDir } from '../stack/paths.ts';
import { freePorts } from '../stack/ports.ts';
import { runOrFail } from '../stack/programs.ts';
import { info, step } from '../stack/progress.ts';
import { table } from '../local/tables.ts';
import { controls } from './controls.ts';
import { Cosign } from './cosign.client.ts';
import { Crane, ledgerIn } from './crane.client.ts';
import { DockerPlatform, removeContainers, removeImages } from './docker.platform.ts';
import { promote, rollback, short, type Delivery } from './promote.ts';
import { buildOnce, release, sourceOf, type Built, type Source, type Tools } from './release.ts';

const NAME = 'pipeline';
const ENVIRONMENTS = ['staging', 'production'] as const;
type Environment = (typeof ENVIRONMENTS)[number];

/** All that the second half of the dry run works with. */
export type Scene = {
  app: AppName;
  tools: Tools;
  repository: string;
  platforms: Record<Environment, DockerPlatform>;
  delivery: (environment: Environment) => Delivery;
};

/**
 * From the image to the rollback, by the steps that the workflow runs: the registry is a real one on this machine, the
 * environments are containers on real engines. Everything is taken down afterwards, also after Ctrl-C.
 *
 * @returns 0, or 1 when a control was not noticed
 */
export async function dryRun(app: AppName, folder: string): Promise<number> {
  await requireEngine();
  const say = (line: string) => console.log(`… programs  ${line}`);
  const [crane, cosign] = [await goTool('crane', say), await goTool('cosign', say)];
  return onEngines(NAME, async (engines) => {
    const { report, signal } = engines;
    await runOrFail(process.execPath, ['tools/build/main.ts', 'infra/simulators'], { cwd: repoRoot, signal });
    const [ports, [registryPort]] = [await freeAppPorts(), await freePorts(1)];
    const host = `127.0.0.1:${registryPort}`;
    const started: Child[] = [];
    try {
      await removeContainers();
      started.push(await registry(crane, host, engines));
      started.push(await simulators(engines, ports));
      const tools: Tools = {
        root: repoRoot,
        crane: new Crane(crane),
        cosign: new Cosign(cosign, { folder: await emptyFolder('keys') }),
        step: (name, message, work, detail) => step(report, name, message, work, detail),
      };
      await tools.cosign.makeKeys();
      info(report, 'registry', `${host}; the keys of this run are in .stack/${NAME}/keys`);
      return await play(await sceneOf(app, folder, tools, host, engines, ports));
    } finally {
      await removeContainers();
      await Promise.all(started.map((child) => child.stop()));
      await removeImages(host);
    }
  });
}

type Ready = Scene & { source: Source; folder: string };

async function sceneOf(
  app: AppName,
  folder: string,
  tools: Tools,
  host: string,
  { stack, signal }: Engines,
  ports: AppPorts,
): Promise<Ready> {
  const repository = `${host}/cairn/${app}`;
  const { crane } = tools;
  const platformOf = async (environment: Environment) => {
    const own = `${host}/cairn-${environment}/${app}`;
    const platform = new DockerPlatform({
      environment,
      app,
      repository,
      own,
      crane,
      engines: stack.env,
      ports,
      folder: stackDir(NAME),
      signal,
    });
    await platform.prepare();
    return platform;
  };
  const platforms = { staging: await platformOf('staging'), production: await platformOf('production') };
  const ledger = ledgerIn(crane, repository);
  const verify = (digest: string) => tools.cosign.verify(`${repository}@${digest}`);
  const delivery = (environment: Environment): Delivery => ({
    ...{ platform: platforms[environment], ledger, verify, step: tools.step },
  });
  const git = (...args: string[]) => runOrFail('git', args, { cwd: repoRoot });
  return {
    app,
    folder,
    tools,
    repository,
    platforms,
    delivery,
    source: await sourceOf(repoRoot, app, folder, git),
  };
}

async function play(scene: Ready): Promise<number> {
  const { tools, repository, source, delivery, platforms } = scene;
  const began = performance.now();
  const rows: string[][] = [['', 'staging', 'production', 'what was seen']];
  const note = async (what: string, seen: string) => {
    const [staging, production] = await Promise.all([
      platforms.staging.running(),
      platforms.production.running(),
    ]);
    rows.push([what, staging, production, seen]);
  };
  const toBoth = async (name: string, { digest }: Built) => {
    for (const environment of ENVIRONMENTS) {
      await promote(delivery(environment), environment, digest);
      await note(`${name} promoted to ${environment}`, platforms[environment].seen);
    }
  };
  const released = async (of: Source) =>
    release(tools, of, repository, await buildOnce(tools, of, repository));
  // The release that is in production already. Only its version and commit differ: that is enough for a digest of its own.
  const before = { ...source, version: `${source.version}-before`, revision: '0'.repeat(40) };
  const first = await released(before);
  await toBoth('the release before', first);
  const built = await released(source);
  await toBoth('this commit', built);
  const back = await rollback(delivery('production'), 'production');
  await note('production rolled back', platforms.production.seen);
  const missed = await controls(scene, built.digest, back);
  await note('after the controls', `${missed.length} of them not noticed`);

  console.log(`\n${table(rows)}`);
  console.log(`\n${await summary(scene, built)}`);
  for (const one of missed) console.log(`✗ ${one}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const told = `${short(built.digest)}: built once, promoted twice by that digest, rolled back once to ${short(back)}`;
  console.log(`${missed.length ? '✗' : '✓'} ${told} (${seconds} s)`);
  return missed.length ? 1 : 0;
}

async function summary({ tools, repository, source }: Ready, built: Built): Promise<string> {
  const tags = (await tools.crane.tags(repository)).filter((tag) => /^(staging|production)-/.test(tag));
  const ledger = tags.map(
    async (tag) => `${tag} ${short((await tools.crane.digest(`${repository}:${tag}`))!)}`,
  );
  return table([
    ['image', `${repository}@${built.digest}`],
    ['commit', `${source.revision}, version ${source.version}`],
    [
      'contents',
      `${built.components} packages in the signed bill of materials; ${built.files} files scanned, 0 finds`,
    ],
    ['weaknesses', `high or critical: ${built.advisories}`],
    ['ledger', (await Promise.all(ledger)).join(', ')],
  ]);
}

async function registry(crane: string, host: string, { stack, signal }: Engines): Promise<Child> {
  const disk = await emptyFolder('registry');
  return startChild({
    ...{ name: 'registry', command: crane, args: ['registry', 'serve', '--address', host, '--disk', disk] },
    ...{ log: logFile(NAME, 'registry'), guard: stack.guard, signal },
    ready: () => answers(`http://${host}/v2/`),
  });
}

function simulators({ stack }: Engines, ports: AppPorts): Promise<Child> {
  return startSimulators({ stack: NAME, guard: stack.guard, engines: stack.env, ports });
}

async function emptyFolder(name: string): Promise<string> {
  const folder = join(stackDir(NAME), name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}
