import type { Child } from '../stack/child.ts';
import { info } from '../stack/progress.ts';
import type { Report } from '../stack/types.ts';
import { startApp, startSimulators, type AppName, type LaunchOptions } from './apps.ts';
import type { World } from './world.ts';

const MOST_RESTARTS = 5;

/**
 * Starts an app again when it ends by itself, as a platform would: break one and watch it come back. Gives up on an
 * app that ended five times. Returns how to stop supervising.
 */
export function supervise(world: World, launch: LaunchOptions, report: Report): () => void {
  let stopped = false;
  const restarts = new Map<string, number>();
  const watch = async (name: AppName | 'simulators', child: Child): Promise<void> => {
    const how = await child.exited;
    if (stopped) return;
    const count = (restarts.get(name) ?? 0) + 1;
    restarts.set(name, count);
    if (count > MOST_RESTARTS)
      return info(report, name, `ended with ${how}, for good. Its log: ${child.log}`);
    info(report, name, `ended with ${how}; starting it again`);
    try {
      const next = name === 'simulators' ? await startSimulators(launch) : await startApp(name, launch);
      world.running.set(name, next);
      // It may have come up while everything was being stopped.
      if (stopped) return await next.stop();
      info(report, name, 'is back');
      void watch(name, next);
    } catch (error) {
      info(report, name, (error as Error).message);
    }
  };
  for (const [name, child] of world.running) void watch(name, child);
  return () => {
    stopped = true;
  };
}
