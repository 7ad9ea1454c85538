import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { attach } from './attached.ts';
import { composeIn, type ComposeRun } from './compose.ts';
import { decide, engineNames, forcedHow, urlVariables, type ComposeAnswer } from './decide.ts';
import { s3Access } from './engines/s3.ts';
import { wipe as wipePostgres } from './engines/postgres.ts';
import { createGuard } from './guard.ts';
import { choosePorts, requirePrograms, startNative } from './native.ts';
import { ledgerFile, logFile, stackDir } from './paths.ts';
import { fixedPorts, type Ports } from './ports.ts';
import { processRows, treeRss } from './processes.ts';
import { info } from './progress.ts';
import type { Restartable } from './restartable.ts';
import { claim, release, update } from './state.ts';
import type { Work } from './engine.ts';
import {
  StackError,
  type Engine,
  type EngineName,
  type How,
  type Stack,
  type StackOptions,
} from './types.ts';
import { watch } from './watch.ts';

export type { Engine, EngineName, How, Progress, Report, Stack, StackOptions } from './types.ts';
export { StackError } from './types.ts';

/** What has been brought up so far: enough to take it down again. */
type Up = { engines: Engine[]; children: Map<Engine, Restartable>; compose?: ComposeRun; ports: Ports };

/** Brings up the five backing services, or nothing: when it rejects, no process of ours runs. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const {
    name,
    env = process.env,
    report = () => undefined,
    signal = new AbortController().signal,
  } = options;
  const left = await claim(name);
  const guard = createGuard({ ledger: ledgerFile(name) });
  const close = () => {
    guard.close();
    release(name);
  };
  try {
    if (left.length > 0) info(report, 'stack', `ended what an earlier run had left: ${left.join(', ')}`);
    if (options.fresh) wipe(name);
    const up = await bringUp(options, env, { report, guard, signal });
    const variables = urls(up, env);
    update(name, up.engines, variables);
    return running(up, variables, guard, close);
  } catch (error) {
    close();
    throw error;
  }
}

function running(up: Up, env: Record<string, string>, guard: Stack['guard'], close: () => void): Stack {
  const watcher = watch(up.engines, up.children);
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    watcher.stop();
    await Promise.all([...[...up.children.values()].map((child) => child.stop()), up.compose?.stop()]);
    close();
  };
  return {
    get engines() {
      return up.engines.map((engine) => ({ ...engine, pid: up.children.get(engine)?.pid ?? engine.pid }));
    },
    env,
    guard,
    engine: (name) => engineOf(up, name),
    onEngineGone: (listener) => watcher.onGone(listener),
    memory: () => {
      const rows = processRows();
      const native = [...up.children].map(([engine, child]) => ({
        name: engine.name,
        rssBytes: child.pid === undefined ? 0 : treeRss(rows, child.pid),
      }));
      return Promise.resolve(native);
    },
    stop: () => (stopping ??= stop()),
  };
}

function engineOf({ children }: Up, name: EngineName): Restartable {
  for (const [engine, child] of children) if (engine.name === name) return child;
  throw new StackError(`${name} is not ours to end: this stack has not started it itself.`);
}

async function bringUp(options: StackOptions, env: NodeJS.ProcessEnv, work: Work): Promise<Up> {
  const plan = await decideAll(options, env, work);
  const attached = await attach(plan.attached, env);
  const compose =
    plan.compose.length > 0 ? await tryCompose(plan.compose, env, work, options.name) : undefined;
  const nativeNames = compose ? plan.native : [...plan.native, ...plan.compose];
  try {
    requirePrograms(nativeNames);
    const { name: stack, kafkaListeners = [] } = options;
    const doors = kafkaListeners.map(({ port }) => port);
    const ports = await choosePorts(options.ports, nativeNames, doors);
    const started = await startNative(nativeNames, { ...work, stack, ports, kafkaListeners });
    const children = new Map<Engine, Restartable>();
    for (const { name, version, child } of started) {
      const { pid, log } = child;
      children.set({ name, version, how: 'native', url: urlOf(name, ports), pid, log }, child);
    }
    const engines = [...attached, ...(compose?.engines ?? []), ...children.keys()];
    engines.sort((one, other) => engineNames.indexOf(one.name) - engineNames.indexOf(other.name));
    return { engines, children, compose: compose?.run, ports };
  } catch (error) {
    await compose?.run.stop();
    throw error;
  }
}

async function decideAll(
  options: StackOptions,
  env: NodeJS.ProcessEnv,
  { report }: Work,
): Promise<Record<How, EngineName[]>> {
  const unattached = engineNames.filter((name) => !env[urlVariables[name]]);
  const asked = options.ports === 'fixed' && forcedHow(env) !== 'native' && unattached.length > 0;
  const compose: ComposeAnswer = asked
    ? await composeIn().answer(unattached)
    : { usable: false, reason: 'compose was not asked' };
  const plan: Record<How, EngineName[]> = { attached: [], compose: [], native: [] };
  for (const name of engineNames) {
    const { how, reason } = decide(name, { env, ports: options.ports, compose });
    plan[how].push(name);
    info(report, name, `${how}: ${reason}`);
  }
  return plan;
}

/** Undefined when compose is there but cannot (images that cannot be had): then the native engines do. */
async function tryCompose(names: EngineName[], env: NodeJS.ProcessEnv, work: Work, stack: string) {
  const compose = composeIn();
  try {
    const run = await compose.up(names, work, logFile(stack, 'compose'));
    const engine = async (name: EngineName): Promise<Engine> => {
      return { name, version: await compose.imageOf(name), how: 'compose', url: urlOf(name, fixedPorts) };
    };
    return { run, engines: await Promise.all(names.map(engine)) };
  } catch (error) {
    if (forcedHow(env) === 'compose' || work.signal.aborted) throw error;
    info(work.report, 'compose', `failed, so the same engines run natively. ${(error as Error).message}`);
    return undefined;
  }
}

function urlOf(name: EngineName, ports: Ports): string {
  const urls: Record<EngineName, string> = {
    postgres: `postgres://cairn:cairn@127.0.0.1:${ports.postgres}/postgres`,
    redis: `redis://127.0.0.1:${ports.redis}`,
    kafka: `127.0.0.1:${ports.kafka}`,
    s3: `http://127.0.0.1:${ports.s3}`,
    smtp: `smtp://127.0.0.1:${ports.smtp}`,
  };
  return urls[name];
}

function urls({ engines, ports }: Up, env: NodeJS.ProcessEnv): Record<string, string> {
  const own = (engine: EngineName) => engines.some((one) => one.name === engine && one.how !== 'attached');
  const s3 = own('s3') ? {} : env; // keys in the environment belong to the server in the environment
  return {
    ...Object.fromEntries(engines.map(({ name, url }) => [urlVariables[name], url])),
    S3_REGION: s3['S3_REGION'] ?? s3Access.region,
    S3_ACCESS_KEY_ID: s3['S3_ACCESS_KEY_ID'] ?? s3Access.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3['S3_SECRET_ACCESS_KEY'] ?? s3Access.secretAccessKey,
    ...(own('smtp') ? { MAIL_WEB_URL: `http://127.0.0.1:${ports.mailWeb}` } : webOf(env)),
  };
}

const webOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  env['MAIL_WEB_URL'] ? { MAIL_WEB_URL: env['MAIL_WEB_URL'] } : {};

function wipe(name: string): void {
  for (const folder of ['data', 'logs'])
    rmSync(join(stackDir(name), folder), { recursive: true, force: true });
  wipePostgres(name);
}
