import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The first half of a pipeline: what an app's sources have to pass before there is an image of them. */
export const lint = async (root: string, folder: string): Promise<void> => {
  const bin = (name: string) => join(root, 'node_modules/.bin', name);
  await shown(root, bin('tsc'), ['--noEmit', '-p', 'tsconfig.check.json']);
  await shown(root, bin('eslint'), [folder]);
  await shown(root, bin('prettier'), ['--check', folder]);
};

/** Its tests, on real engines: those that the environment names, or engines of their own. */
export const test = (root: string, folder: string): Promise<void> =>
  shown(root, process.execPath, ['--conditions=@cairn/source', 'tools/test/main.ts', folder]);

/** Runs a program whose output is for whoever watches. @throws Error when it fails */
function shown(root: string, command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${[command, ...args].join(' ')} ended with ${code}`)),
    );
  });
}
