import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repoRoot = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const home = join(repoRoot, '.stack');

/** Binaries and jars, shared by all stacks. */
export const cacheDir = join(home, 'cache');
export const stackDir = (name: string) => join(home, name);
export const dataDir = (name: string, engine: string) => join(home, name, 'data', engine);
export const logFile = (name: string, engine: string) => join(home, name, 'logs', `${engine}.log`);
export const stateFile = (name: string) => join(home, name, 'state.json');
/** The guard's ledger: every process of the stack, so that a later start can end what was left. */
export const ledgerFile = (name: string) => join(home, name, 'processes.json');
export const engineFile = (...parts: string[]) => join(repoRoot, 'tools', 'engines', ...parts);
