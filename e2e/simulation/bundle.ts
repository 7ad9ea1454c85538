import { build, type Plugin } from 'esbuild';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Drivers of engines and what watches them: the code under test imports them and, with engines in memory, calls none. */
const UNUSED = /^(typeorm|ioredis|pg|@cairn\/telemetry)$/;

const leaveOutDrivers = (root: string): Plugin => ({
  name: 'leave-out-drivers',
  setup({ onResolve, onLoad }) {
    // Of what starts a process, the apps' consumers need this alone.
    onResolve({ filter: /^@cairn\/boot$/ }, () => ({ path: join(root, 'libs/boot/src/jobs.ts') }));
    onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    // A CommonJS module may lack any name, until somebody calls it.
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
});

/** One file of the simulation and all that it runs: Node itself cannot read the apps' constructors, and starts slowly. */
export async function bundleSimulation(root: string): Promise<string> {
  const outfile = join(root, '.stack', 'simulation', 'worker.mjs');
  await mkdir(join(root, '.stack', 'simulation'), { recursive: true });
  await build({
    entryPoints: [join(root, 'e2e/simulation/worker.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['@cairn/source'],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [leaveOutDrivers(root)],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return outfile;
}
