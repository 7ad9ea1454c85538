import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../stack/programs.ts';
import type { Say } from '../check.ts';
import { cached, pinOf, told } from './cache.ts';
import { runOrFail } from './run.ts';

/**
 * A program out of a Python package, pinned with the hashes of all its files by `tools/infra/<requirements>`.
 * @param requirements default `requirements.txt`; a file of its own for one that brings many packages along
 * @returns its path
 * @throws Error when it has to be installed and there is no Python with pip, or the installation fails
 */
export async function pythonTool(
  name: string,
  progress: Say,
  requirements = 'requirements.txt',
): Promise<string> {
  const file = join(import.meta.dirname, '..', requirements);
  const folder = await cached(`python-${pinOf(readFileSync(file, 'utf8'))}`, async (draft) => {
    const python = findProgram('python3');
    if (!python)
      throw new Error(`Python is missing, ${name} comes from it: apt-get install python3 python3-pip`);
    // A folder of its own instead of a virtual environment: Debian's Python can't make one without another package.
    const args = [
      '-m',
      'pip',
      'install',
      '--require-hashes',
      '--only-binary=:all:',
      '--no-deps',
      '--no-input',
    ];
    const rest = ['--disable-pip-version-check', '--quiet', '--target', draft, '--requirement', file];
    await told(progress, `installing ${requirements} by pip, once`, () =>
      runOrFail(python, [...args, ...rest]),
    );
  });
  const program = join(folder, 'bin', name);
  // Not every package has files for every machine: then the system's own has to do.
  const found = existsSync(program) ? program : findProgram(name);
  if (!found)
    throw new Error(`${name} is missing, and PyPI has none for this machine: apt-get install ${name}`);
  return found;
}
