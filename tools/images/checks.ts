import {
  databaseUrl,
  appEnvironment,
  WITH_DATABASE,
  type AppName,
  type LaunchOptions,
} from '../local/apps.ts';
import { onStage } from '../local/stage.ts';
import { holdPorts } from '../stack/ports.ts';
import { step } from '../stack/progress.ts';
import type { Report } from '../stack/types.ts';
import type { Base, Built } from './build.ts';
import { configurationViolations, differing, refusalViolations, type Told } from './configurations.ts';
import { look, runOnce } from './container.ts';
import { missedPlants } from './controls.ts';
import type { DockerOptions } from './docker.client.ts';
import { scanImage, type Find, type ScanOptions } from './scan.ts';
import { namedIn, requiredVariables, stageEnvironment, STAGES } from './stages.file.ts';
import { containerViolations, privilegesOf, type Seen } from './verdict.ts';

/** What was found about an image: cells of the table, and every problem in a sentence. */
export type Checked = { cells: Record<string, string>; problems: string[] };
type Options = DockerOptions & { report: Report };

const appsOf = (built: readonly Built[]) =>
  built.filter((one): one is Built & { name: AppName } => one.name !== 'simulators');

/** Every layer of every image; and whether the scan finds what is planted into one of them. */
export async function checkLayers(
  built: readonly Built[],
  base: Base,
  options: Options,
): Promise<Map<string, Checked>> {
  const seen = new Map<string, Find[]>();
  const checked = new Map<string, Checked>();
  const optionsOf = (one: Built): ScanOptions & Options => {
    const stages =
      one.name === 'simulators' ? [] : STAGES.map((stage) => stageEnvironment(one.name as AppName, stage));
    return {
      ...options,
      base: base.layers,
      seen,
      // What development uses is in the code, as defaults that production refuses.
      forbidden: [...new Set(stages.slice(1).flatMap(namedIn))],
      variables: new Set(stages.flatMap(({ variables }) => Object.keys(variables))),
    };
  };
  for (const one of built) {
    const { layers, finds } = await step(options.report, one.name, 'scan of all layers', () =>
      scanImage(one.id, optionsOf(one)),
    );
    checked.set(one.name, {
      cells: { layers: `${layers} scanned, ${finds.length} finds` },
      problems: finds.map(({ rule, quote, where }) => `${where}: ${rule}: ${quote}`),
    });
  }
  const [victim] = appsOf(built);
  if (victim) {
    const missed = await step(options.report, victim.name, 'controls: what is planted is found', () =>
      missedPlants(victim.reference, optionsOf(victim)),
    );
    checked.get(victim.name)!.problems.push(...missed.map((does) => `the scan does not find ${does}`));
  }
  return checked;
}

/** Factor test d: one image, the environments of three stages, three configurations; and what is missing ends it with 78. */
export async function checkConfigurations(
  built: readonly Built[],
  options: Options,
): Promise<Map<string, Checked>> {
  const checked = new Map<string, Checked>();
  for (const one of appsOf(built))
    checked.set(
      one.name,
      await step(options.report, one.name, 'configurations', () => configurations(one, options)),
    );
  return checked;
}

async function configurations({ name, id }: Built & { name: AppName }, options: Options): Promise<Checked> {
  const told: Told[] = [];
  for (const stage of STAGES) {
    const { variables, secrets } = stageEnvironment(name, stage);
    const { code, out, err } = await runOnce(id, ['config', '--format', 'json'], variables, options);
    told.push({ stage, variables, secrets, code, out: code === 0 ? out : `${out}${err}` });
  }
  const required = requiredVariables(name);
  const { variables } = stageEnvironment(name, 'production');
  const problems: string[] = [];
  for (const without of [...required.map((one) => [one]), required]) {
    const rest = Object.fromEntries(Object.entries(variables).filter(([key]) => !without.includes(key)));
    const { code, out, err } = await runOnce(id, ['config'], rest, options);
    problems.push(...refusalViolations({ without, code, out: `${out}${err}` }, required));
  }
  const cell = `${told.length} stages, ${differing(told)} variables differ; ${required.length} required`;
  return { cells: { configurations: cell }, problems: [...configurationViolations(told), ...problems] };
}

/** Each as a container, confined, on real engines of their own. */
export async function checkContainers(
  built: readonly Built[],
  options: Options,
): Promise<Map<string, Checked>> {
  const checked = new Map<string, Checked>();
  const simulators = built.find(({ name }) => name === 'simulators');
  if (simulators) {
    const { ports, release } = await holdPorts(3);
    await release();
    const env = Object.fromEntries(
      ['GATEWAY_PORT', 'ISSUER_PORT', 'TRACES_PORT'].map((name, i) => [name, String(ports[i])]),
    );
    checked.set('simulators', await contained(simulators, [], { HOST: '127.0.0.1', ...env }, options));
  }
  const apps = appsOf(built);
  if (apps.length === 0) return checked;
  await onStage('images', [], async ({ launch, signal }) => {
    const limited = { ...options, signal };
    for (const one of apps) {
      const env = environmentOf(one.name, launch);
      const migrated = await runOnce(one.id, ['migrate'], env, limited);
      const result = await contained(one, ['all'], env, limited);
      const failed = migrated.code ? [`migrate exits ${migrated.code}: ${migrated.out}${migrated.err}`] : [];
      checked.set(one.name, { ...result, problems: [...failed, ...result.problems] });
    }
  });
  return checked;
}

function environmentOf(app: AppName, { engines, ports }: LaunchOptions): Record<string, string> {
  return {
    ...appEnvironment(engines, ports),
    ...(WITH_DATABASE.includes(app) && { DATABASE_URL: databaseUrl(engines['POSTGRES_URL']!, app) }),
    PORT: String(ports[app]),
    METRICS_PORT: String(ports[`${app}Metrics`]),
  };
}

async function contained(
  { name, id, healthcheck }: Built,
  args: string[],
  env: Record<string, string>,
  options: Options,
): Promise<Checked> {
  const seen = await step(options.report, name, 'a container: healthy, looked at, SIGTERM', () =>
    look({ image: id, args, env, healthcheck }, options),
  );
  return { cells: cellsOf(seen), problems: containerViolations(seen) };
}

function cellsOf(seen: Seen): Record<string, string> {
  if (seen.healthyAfterS === undefined) return { healthy: 'never' };
  const { uid, capabilities, noNewPrivileges } = privilegesOf(seen.status);
  return {
    user: String(uid),
    root: seen.writing.code ? 'read-only' : 'writable',
    privileges: `${capabilities.toString(16)}${noNewPrivileges ? ', none to gain' : ''}`,
    healthy: `${seen.healthyAfterS.toFixed(1)} s`,
    SIGTERM: `exit ${seen.exit.code} in ${seen.exit.seconds.toFixed(2)} s`,
  };
}
