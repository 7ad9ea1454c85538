import { parseArgs } from 'node:util';
import { showFailureCases } from './failure-cases.ts';
import { benchOutbox } from './outbox.ts';
import { benchResilience } from './resilience.ts';
import { benchStartup } from './startup.ts';
import { benchTelemetry } from './telemetry.ts';

interface Bench {
  does: string;
  /** How many, where the command does not say. */
  runs: number;
  run: (runs: number, gate: boolean) => Promise<number>;
}

/** `npm run bench -- <what>`. Figures are printed, never asserted by tests: the machine may be busy. */
const BENCHES: Record<string, Bench> = {
  'failure-cases': {
    does: 'a breaker that never closes, and a retry storm, simulated; --gate exits 1 when a limit is missed',
    runs: 1,
    run: showFailureCases,
  },
  outbox: {
    does: 'one relay to the real broker, and commit to handler; --gate exits 1 below 5,000 events/s or above 100 ms (p99)',
    runs: 3,
    run: benchOutbox,
  },
  resilience: {
    does: 'our calls against cockatiel, opossum and none; --gate exits 1 when a limit is missed',
    runs: 5,
    run: benchResilience,
  },
  startup: {
    does: 'from the start of each app until it is ready; --gate exits 1 above 1.5 s',
    runs: 7,
    run: benchStartup,
  },
  telemetry: {
    does: 'orders with logging and tracing on, against both off; --gate exits 1 below 0.75 of the requests per second',
    runs: 10,
    run: benchTelemetry,
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, gate: { type: 'boolean', default: false } },
});
const bench = BENCHES[positionals[0] ?? ''];
if (!bench) {
  console.error('npm run bench -- <what> [--runs <n>] [--gate]. There are:');
  for (const [name, { does }] of Object.entries(BENCHES)) console.error(`  ${name}  ${does}`);
  process.exit(2);
}
try {
  process.exitCode = await bench.run(Number(values.runs ?? bench.runs), values.gate);
} catch (error) {
  console.error(`✗ ${(error as Error).message}`);
  process.exitCode = 1;
}
process.exit();
