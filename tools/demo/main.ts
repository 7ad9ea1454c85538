import { parseArgs } from 'node:util';
import { narrateOrder } from './narrate.ts';
import { placesFrom } from './places.ts';

const { values } = parseArgs({ options: { file: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help) {
  console.log(`npm run demo                       place one order on the running stack and narrate it
npm run demo -- --file orders.jsonl place many; tools/demo/orders.jsonl is a sample of 200`);
  process.exit(0);
}
try {
  if (values.file) process.exitCode = await (await import('./file.ts')).placeFile(placesFrom(), values.file);
  else await narrateOrder(placesFrom(), (line) => console.log(line));
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
}
