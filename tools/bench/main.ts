import { parseArgs } from 'node:util';
import { benchStartup } from './startup.ts';

/** `npm run bench -- <what>`. Figures are printed, never asserted by tests: the machine may be busy. */
const BENCHES: Record<string, { does: string; run: (runs: number, gate: boolean) => Promise<number> }> = {
  startup: {
    does: 'from the start of each app until it is ready; --gate exits 1 above 1.5 s',
    run: benchStartup,
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '7' }, gate: { type: 'boolean', default: false } },
});
const bench = BENCHES[positionals[0] ?? ''];
if (!bench) {
  console.error('npm run bench -- <what> [--runs 7] [--gate]. There are:');
  for (const [name, { does }] of Object.entries(BENCHES)) console.error(`  ${name}  ${does}`);
  process.exit(2);
}
try {
  process.exitCode = await bench.run(Number(values.runs), values.gate);
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
}
process.exit();
