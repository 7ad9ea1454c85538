import { step } from '../stack/progress.ts';
import type { Child } from '../stack/child.ts';
import type { Report } from '../stack/types.ts';
import {
  APPS,
  runAdmin,
  startApp,
  startSimulators,
  WITH_DATABASE,
  type AppName,
  type LaunchOptions,
} from './apps.ts';
import { ensureDatabases } from './databases.ts';

export type World = {
  running: Map<AppName | 'simulators', Child>;
  stop(): Promise<void>;
};

/** Databases, migrations, simulators, seed: all that has to be there before an app starts. */
export async function prepareWorld(options: LaunchOptions, report: Report): Promise<Child> {
  await step(report, 'databases', `one for each of ${WITH_DATABASE.join(', ')}`, () =>
    ensureDatabases(options.engines['POSTGRES_URL']!, WITH_DATABASE),
  );
  const simulators = step(report, 'simulators', 'payment gateway and token issuer', () =>
    startSimulators(options),
  );
  try {
    await Promise.all([
      simulators,
      step(report, 'migrate', 'databases, topics and bucket', () => migrate(options)),
    ]);
    await step(report, 'seed', 'a draft for the demo customer', () => runAdmin('orders', 'seed', options));
    return await simulators;
  } catch (error) {
    await simulators.then(
      (child) => child.stop(),
      () => undefined, // it has not started, and left nothing
    );
    throw error;
  }
}

/** What the apps need, then the five apps, or only those named. */
export async function startWorld(
  options: LaunchOptions,
  report: Report,
  apps: readonly AppName[] = APPS,
): Promise<World> {
  const running: World['running'] = new Map([['simulators', await prepareWorld(options, report)]]);
  await Promise.all(
    apps.map((app) =>
      step(report, app, 'ready', async () => void running.set(app, await startApp(app, options))),
    ),
  );
  return {
    running,
    stop: async () => {
      await Promise.all(apps.map((app) => running.get(app)?.stop()));
      await running.get('simulators')?.stop();
    },
  };
}

async function migrate(options: LaunchOptions): Promise<void> {
  await Promise.all(APPS.map((app) => runAdmin(app, 'migrate', options)));
}
