import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { logFile } from '../stack/paths.ts';
import { portOwner } from '../stack/ports.ts';
import { commandOf } from '../stack/processes.ts';
import { narrateOrder } from './narrate.ts';
import { placesFrom, type Places } from './places.ts';

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    outage: { type: 'boolean' },
    trace: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(`npm run demo                       place one order on the running stack and narrate it
npm run demo -- --file orders.jsonl place many; tools/demo/orders.jsonl is a sample of 200
npm run demo -- --outage            let the gateway hang in front of 60 orders, and watch payments live through it
npm run demo -- --trace             place one order, and print its trace as a tree, from the request to the e-mail`);
  process.exit(0);
}
try {
  const places = placesFrom();
  if (values.file) process.exitCode = await (await import('./file.ts')).placeFile(places, values.file);
  else if (values.outage) process.exitCode = await showOutage(places);
  else if (values.trace) {
    const { showTrace } = await import('./show-trace.ts');
    await showTrace(places, { say: (line) => console.log(line), width: process.stdout.columns || 160 });
  } else await narrateOrder(places, (line) => console.log(line));
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
}
// npm's channel would keep the process.
process.exit();

async function showOutage(places: Places): Promise<number> {
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => leaving.abort(new Error(`ended by ${signal}`)));
  process.on('disconnect', () => leaving.abort(new Error('npm is gone')));
  const owner = portOwner(Number(new URL(places.payments).port));
  const log = logFile('dev', 'payments');
  if (!owner || !commandOf(owner.pid).includes('payments') || !existsSync(log)) {
    throw new Error('This reads the log and the memory of payments, so it needs the stack of: npm start');
  }
  const { outage } = await import('./outage.ts');
  const options = { orders: 60, payments: { pid: owner.pid, log }, signal: leaving.signal };
  return (await outage(places, { ...options, say: (line) => console.log(line) })) ? 0 : 1;
}
