import { build, type Plugin } from 'esbuild';
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

/**
 * The simulation and all that it runs as one text: Node itself cannot read the apps' constructors, and starts slowly. It is
 * CommonJS, hence the body of a function: each seed calls it, and so has every module anew.
 */
export async function bundleSimulation(root: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'e2e/simulation/simulate.ts')],
    write: false,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    conditions: ['@cairn/source'],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [leaveOutDrivers(root)],
    // Schemas are the same for every seed, and slow to make.
    external: ['zod'],
  });
  return outputFiles[0]!.text;
}
