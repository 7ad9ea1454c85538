import { freeAppPorts, type AppName, type LaunchOptions } from './apps.ts';
import { run } from './run.ts';
import { startWorld, type World } from './world.ts';
import { printer, step } from '../stack/progress.ts';
import { startStack, StackError } from '../stack/stack.ts';
import type { Report } from '../stack/types.ts';

export type Stage = { launch: LaunchOptions; world: World; report: Report; signal: AbortSignal };

/**
 * Engines of its own on free ports, fresh databases and `apps` on them, for as long as `play` runs; `name` is that of the
 * stack. Everything is stopped afterwards, also after Ctrl-C: `signal` tells `play` of it.
 */
export async function onStage<T>(
  name: string,
  apps: readonly AppName[],
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const report = printer();
  const leaving = new AbortController();
  const leave = (why: string) => leaving.abort(new StackError(`ended by ${why}`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave);
  process.on('disconnect', () => leave('the end of npm'));
  await step(report, 'build', 'apps and simulators', () => run(process.execPath, ['tools/build/main.ts']));
  const { signal } = leaving;
  const stack = await startStack({ name, ports: 'free', fresh: true, report, signal });
  stack.onEngineGone((engine, reason) => leave(`the end of ${engine.name} (${reason})`));
  try {
    const ports = await freeAppPorts();
    // A share of traces as in production: all of them would be a load of their own.
    const env = { OTEL_TRACES_SAMPLER_ARG: '0.1' };
    const launch = { stack: name, guard: stack.guard, engines: stack.env, ports, env };
    const world = await startWorld(launch, report, apps);
    try {
      return await play({ launch, world, report, signal });
    } finally {
      await world.stop();
    }
  } finally {
    await stack.stop();
  }
}
