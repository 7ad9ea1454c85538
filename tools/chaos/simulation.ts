import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repoRoot } from '../stack/paths.ts';

export const SIMULATION_USAGE =
  '[--seeds <n>] [--quick] [--threads <n>] | --seed <n> [--trace] [--bug <name>]';

/** The simulation runs the code of the apps, which a tool may not import: it is a process of its own. */
export async function simulation(args: string[]): Promise<number> {
  const main = join(repoRoot, 'e2e/simulation/main.ts');
  const flags = ['--disable-warning=ExperimentalWarning', '--conditions=@cairn/source'];
  const child = spawn(process.execPath, [...flags, main, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
