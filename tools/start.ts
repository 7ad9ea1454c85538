import { parseArgs } from 'node:util';
import { narrateOrder } from './demo/narrate.ts';
import { placesFrom } from './demo/places.ts';
import { FIXED_PORTS, requireFreePorts } from './local/apps.ts';
import { run } from './local/run.ts';
import { supervise } from './local/supervise.ts';
import { memoryTable, urlTable } from './local/tables.ts';
import { startWorld } from './local/world.ts';
import { printer, step } from './stack/progress.ts';
import { startStack, StackError } from './stack/stack.ts';

const help = `npm start           bring everything up, place one order, stay up until Ctrl-C
npm start -- --once the same, but go when the order has its e-mail: 0, or 1 with the reason
npm start -- --fresh wipe the data of earlier runs first`;

const { values } = parseArgs({
  options: { once: { type: 'boolean' }, fresh: { type: 'boolean' }, help: { type: 'boolean' } },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

const began = Date.now();
const report = printer();
const leaving = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leaving.abort(signal));
process.on('disconnect', () => leaving.abort('the end of npm'));

process.exitCode = await main().catch((error: unknown) => {
  if (leaving.signal.aborted) return 130;
  console.error(`\n✗ ${error instanceof StackError ? error.message : (error as Error).stack}`);
  return 1;
});
// Whatever still holds the event loop (a half-open probe) must not keep the terminal.
process.exit();

async function main(): Promise<number> {
  await requireFreePorts(FIXED_PORTS);
  await step(report, 'build', 'apps and simulators', () => run(process.execPath, ['tools/build/main.ts']));
  const stack = await startStack({
    name: 'dev',
    ports: 'fixed',
    report,
    fresh: values.fresh,
    signal: leaving.signal,
  });
  const launch = { stack: 'dev', guard: stack.guard, engines: stack.env, ports: FIXED_PORTS };
  try {
    const world = await startWorld(launch, report);
    const stopSupervising = supervise(world, launch, report);
    try {
      console.log(
        `\nEverything is up after ${((Date.now() - began) / 1000).toFixed(1)} s. One order, all the way:\n`,
      );
      await narrateOrder(placesFrom(stack.env), (line) => console.log(line));
      console.log(`\n${urlTable(stack.env)}\n\n${memoryTable(await stack.memory(), world)}\n`);
      if (values.once) return 0;
      console.log('Next: npm run demo · npm run token · Ctrl-C stops everything.');
      return await untilLeaving(stack.onEngineGone);
    } finally {
      stopSupervising();
      console.log('\nstopping …');
      await world.stop();
    }
  } finally {
    await stack.stop();
    console.log('stopped; nothing of ours is left running.');
  }
}

function untilLeaving(onEngineGone: Awaited<ReturnType<typeof startStack>>['onEngineGone']): Promise<number> {
  return new Promise((resolve) => {
    if (leaving.signal.aborted) return resolve(0);
    leaving.signal.addEventListener('abort', () => resolve(0));
    onEngineGone((engine, reason) => {
      console.error(`\n✗ ${engine.name} is gone: ${reason}. Its log: ${engine.log ?? '(attached)'}`);
      resolve(1);
    });
  });
}
