import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MUTANTS, type Mutant } from './mutants.fixture.ts';

/** Caught late is not caught: a bug that takes more schedules than this would pass one run in two. */
const SCHEDULES = 5_000;
const SEED = 1;
const AT_A_TIME = 2;

jest.setTimeout(300_000);

type Report = { caught: boolean; schedules: number };

const source = join(import.meta.dirname, '..');
const found = new Map<string, Promise<Report>>();
let folder: string;

/** Plants the bug in a copy of the source, and runs the model on that copy, in a process of its own. */
async function run(name: string, mutant?: Mutant): Promise<Report> {
  const copy = join(folder, name);
  await cp(source, copy, {
    recursive: true,
    filter: (path) => !path.endsWith('.spec.ts') && basename(path) !== 'first',
  });
  if (mutant) await plant(mutant, copy);
  const script = join(copy, 'model/mutant-run.fixture.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@cairn/source', script, String(SEED), String(SCHEDULES), mutant?.by ?? 'model'],
    { timeout: 120_000 },
  );
  return JSON.parse(stdout) as Report;
}

async function plant({ bug, file, from, to }: Mutant, copy: string): Promise<void> {
  const path = join(copy, file);
  const [before, after, ...more] = (await readFile(path, 'utf8')).split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`can't plant "${bug}": ${file} must have exactly once\n${from}`);
  }
  await writeFile(path, `${before}${to}${after}`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-mutants-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(source, '../../../node_modules'), join(folder, 'node_modules'));
  const jobs = [undefined, ...MUTANTS];
  const next = async (): Promise<void> => {
    const mutant = jobs.shift();
    const report = run(`mutant-${jobs.length}`, mutant);
    found.set(mutant?.bug ?? 'none', report);
    await report.catch(() => undefined);
    if (jobs.length > 0) await next();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, next));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('The model', () => {
  it('finds nothing in a copy of the source without a planted bug', async () => {
    expect(await found.get('none')).toMatchObject({ caught: false, schedules: SCHEDULES });
  });

  it.each(MUTANTS.map(({ bug }) => bug))('catches the planted bug: %s', async (bug) => {
    expect(await found.get(bug)).toMatchObject({ caught: true });
  });
});
