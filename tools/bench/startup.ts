import { APPS, freeAppPorts, startApp } from '../local/apps.ts';
import { run } from '../local/run.ts';
import { table } from '../local/tables.ts';
import { startWorld } from '../local/world.ts';
import { processRows, treeRss } from '../stack/processes.ts';
import { printer, step } from '../stack/progress.ts';
import { startStack } from '../stack/stack.ts';

const LIMIT_MS = 1500;

/**
 * Starts each app by itself, several times, beside a system that is up, and prints the time from the start of its
 * process until `/health/ready` says 200, and its memory at that moment.
 */
export async function benchStartup(runs: number, gate: boolean): Promise<number> {
  const report = printer();
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort());
  await step(report, 'build', 'apps and simulators', () => run(process.execPath, ['tools/build/main.ts']));
  const stack = await startStack({
    name: 'bench',
    ports: 'free',
    fresh: true,
    report,
    signal: leaving.signal,
  });
  try {
    const launch = { stack: 'bench', guard: stack.guard, engines: stack.env, ports: await freeAppPorts() };
    // This first start of everything is not counted: it fills the compile cache, as a build of the image does.
    const world = await startWorld(launch, report);
    await Promise.all(APPS.map((app) => world.running.get(app)!.stop()));
    const rows: string[][] = [['app', 'ready: median', 'min', 'max', 'memory', '']];
    let late = 0;
    for (const app of APPS) {
      const times: number[] = [];
      let rssBytes = 0;
      for (let i = 0; i < runs && !leaving.signal.aborted; i++) {
        const began = performance.now();
        const child = await startApp(app, launch);
        times.push(performance.now() - began);
        rssBytes = treeRss(processRows(), child.pid);
        await child.stop();
      }
      times.sort((a, b) => a - b);
      const median = times[times.length >> 1] ?? NaN;
      if (!(median <= LIMIT_MS)) late++;
      const ms = (value = NaN) => `${Math.round(value)} ms`;
      const verdict = median <= LIMIT_MS ? `within ${LIMIT_MS} ms` : `OVER ${LIMIT_MS} ms`;
      rows.push([
        app,
        ms(median),
        ms(times[0]),
        ms(times.at(-1)),
        `${Math.round(rssBytes / 1e6)} MB`,
        verdict,
      ]);
    }
    await world.stop();
    console.log(`\n${runs} starts of each app:\n${table(rows)}`);
    return gate && late > 0 ? 1 : 0;
  } finally {
    await stack.stop();
  }
}
