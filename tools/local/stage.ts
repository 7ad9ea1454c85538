import { holdAppPorts, startSimulators, type LaunchOptions } from './apps.ts';
import { onEngines, type Engines } from './engines.ts';
import { appProcesses, type AppProcess } from './processes.ts';
import { closeProxies, openKafkaDoors, openProxies, proxiedEnvironment, type AppProxies } from './proxied.ts';
import { run } from './run.ts';
import { prepareWorld } from './world.ts';
import type { Proxy } from '../chaos/wire/proxy.ts';
import { step } from '../stack/progress.ts';
import { Restartable } from '../stack/restartable.ts';
import type { Report } from '../stack/types.ts';

/** Its engines can be ended and started again: `stack.engine('kafka')`. */
export type Stage = Engines & {
  launch: LaunchOptions;
  /** Gateway, issuer and trace store in one process. The gateway's charges survive it. */
  simulators: Restartable;
  /** The apps by name, replicas as `orders-2`. */
  processes: Record<string, AppProcess>;
  /** By process and engine; none when the stage is not proxied. */
  proxies: Record<string, AppProxies>;
};

export type StageOptions = {
  /** Put a TCP proxy between each process and each engine, and the gateway. Default: false. */
  proxied?: boolean;
  /** Called once with all proxies, before any app has connected through them. */
  onProxies?: (proxies: Stage['proxies']) => void;
  /** More variables for one process; asked at each of its starts. Default: none. */
  env?: (process: string) => Record<string, string>;
};

/**
 * Engines of its own on free ports, fresh databases and `names` on them (apps, replicas as `orders-2`), for as long as
 * `play` runs; `name` is that of the stack. Everything is stopped afterwards, also after Ctrl-C: `signal` tells `play` of it.
 */
export async function onStage<T>(
  name: string,
  names: readonly string[],
  play: (stage: Stage) => Promise<T>,
  options: StageOptions = {},
): Promise<T> {
  const proxies: Stage['proxies'] = {};
  let doors: Record<string, Proxy> = {};
  const before = async (report: Report) => {
    // Whoever plays several times on end has built already.
    if (!process.env['CHAOS_IS_BUILT'])
      await step(report, 'build', 'apps and simulators', () =>
        run(process.execPath, ['tools/build/main.ts']),
      );
    const opened = await openKafkaDoors(options.proxied ? names : []);
    doors = opened.doors;
    return opened.listeners;
  };
  const playOnEngines = async (engines: Engines) => {
    const { stack } = engines;
    const { ports, release } = await holdAppPorts();
    // A share of traces as in production: all of them would be a load of their own.
    const env = { OTEL_TRACES_SAMPLER_ARG: '0.1' };
    const launch = { stack: name, guard: stack.guard, engines: stack.env, ports, env };
    for (const [process, kafka] of Object.entries(doors))
      proxies[process] = await openProxies(kafka, stack.env, ports);
    await release();
    options.onProxies?.(proxies);
    return playOn({ ...engines, launch, proxies }, names, play, options);
  };
  try {
    return await onEngines(name, playOnEngines, before);
  } finally {
    await closeProxies([...Object.values(proxies), doors]);
  }
}

async function playOn<T>(
  stage: Omit<Stage, 'simulators' | 'processes'>,
  names: readonly string[],
  play: (stage: Stage) => Promise<T>,
  options: StageOptions,
): Promise<T> {
  const { launch, proxies, report } = stage;
  const simulators = new Restartable(
    'simulators',
    () => startSimulators(launch),
    await prepareWorld(launch, report),
  );
  const processes = await appProcesses(names, launch, (name) => ({
    ...(proxies[name] && proxiedEnvironment(processes[name]!.app, proxies[name], launch.engines)),
    ...options.env?.(name),
  }));
  try {
    await Promise.all(
      Object.values(processes).map((one) => step(report, one.name, 'ready', () => one.start())),
    );
    return await play({ ...stage, simulators, processes });
  } finally {
    await Promise.all(Object.values(processes).map((one) => one.stop()));
    await simulators.stop();
  }
}
