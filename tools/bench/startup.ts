import { setTimeout as delay } from 'node:timers/promises';
import { APPS, startApp, type AppName, type LaunchOptions } from '../local/apps.ts';
import { onStage } from '../local/stage.ts';
import { table } from '../local/tables.ts';
import { processRows, treeRss } from '../stack/processes.ts';
import { info } from '../stack/progress.ts';

const LIMIT_MS = 1500;
const LIMIT_BYTES = 120e6;
/** How long an app is left alone before its memory is looked at: consumers have joined and clients are connected. */
const IDLE_MS = 4000;

/**
 * Starts each app by itself, several times, beside a system that is up, with telemetry on as it is in production, and prints
 * the time from the start of its process until `/health/ready` says 200, and its memory when it is idle.
 */
export function benchStartup(runs: number, gate: boolean): Promise<number> {
  // This first start of everything is not counted: it fills the compile cache, as a build of the image does.
  return onStage('bench', APPS, async ({ launch, processes, report, signal }) => {
    await Promise.all(Object.values(processes).map((app) => app.stop()));
    const rows: string[][] = [['app', 'ready: median', 'min', 'max', 'idle RSS: median', 'max', '']];
    let missed = 0;
    for (const app of APPS) {
      const starts: Start[] = [];
      for (let i = 0; i < runs && !signal.aborted; i++) {
        starts.push(await startOnce(app, launch));
        info(report, app, `${i + 1} of ${runs}: ready in ${ms(starts.at(-1)?.readyMs)}`);
      }
      const ready = sorted(starts.map(({ readyMs }) => readyMs));
      const rss = sorted(starts.map(({ rssBytes }) => rssBytes));
      const problems = [
        ...(median(ready) <= LIMIT_MS ? [] : [`OVER ${LIMIT_MS} ms`]),
        ...(median(rss) <= LIMIT_BYTES ? [] : [`OVER ${mb(LIMIT_BYTES)}`]),
      ];
      missed += problems.length;
      const verdict = problems.join(', ') || `within ${LIMIT_MS} ms and ${mb(LIMIT_BYTES)}`;
      rows.push([
        app,
        ms(median(ready)),
        ms(ready[0]),
        ms(ready.at(-1)),
        mb(median(rss)),
        mb(rss.at(-1)),
        verdict,
      ]);
    }
    console.log(`\n${runs} starts of each app:\n${table(rows)}`);
    return gate && missed > 0 ? 1 : 0;
  });
}

type Start = { readyMs: number; rssBytes: number };

async function startOnce(app: AppName, launch: LaunchOptions): Promise<Start> {
  const began = performance.now();
  const child = await startApp(app, launch);
  const readyMs = performance.now() - began;
  await delay(IDLE_MS);
  const rssBytes = treeRss(processRows(), child.pid);
  await child.stop();
  return { readyMs, rssBytes };
}

const sorted = (values: number[]) => values.sort((a, b) => a - b);
const median = (values: number[]) => values[values.length >> 1] ?? NaN;
const ms = (value = NaN) => `${Math.round(value)} ms`;
const mb = (bytes = NaN) => `${Math.round(bytes / 1e6)} MB`;
