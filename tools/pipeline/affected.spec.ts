import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repoRoot } from '../stack/paths.ts';
import { affectedApps } from './affected.ts';

/** The real graph: a copy of this repository, a commit on top, and nx asked what changed, as a workflow asks it. */
const ALL = ['notifications', 'orders', 'payments', 'scheduler', 'simulators', 'worker'];
const copy = mkdtempSync(join(tmpdir(), 'cairn-affected-'));
const git = (...args: string[]) => execFileSync('git', args, { cwd: copy, encoding: 'utf8', stdio: 'pipe' });

// nx reads the whole repository for each answer.
jest.setTimeout(60_000);

beforeAll(() => {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', list, { cwd: repoRoot, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(repoRoot, file), join(copy, file), { force: true });
  }
  symlinkSync(join(repoRoot, 'node_modules'), join(copy, 'node_modules'));
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(copy, '.git/info/exclude'), 'node_modules\n');
  for (const [key, value] of Object.entries({ name: 'A test', email: 'test@cairn.invalid' }))
    git('config', `user.${key}`, value);
  git('add', '--all');
  git('commit', '--quiet', '--message=base');
  git('tag', 'base');
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Whose pipelines run after a commit that changes `file`, on top of `before`. */
async function afterChangeOf(file: string, before = 'base'): Promise<string[]> {
  appendFileSync(join(copy, file), '\n');
  git('commit', '--quiet', '--all', `--message=change ${file}`);
  const runs = await affectedApps(copy, before);
  git('reset', '--quiet', '--hard', before);
  return runs;
}

/** The same once nx.json is another. */
async function afterChangeWithout(edit: (nx: NxJson) => void, file: string): Promise<string[]> {
  const nx = JSON.parse(readFileSync(join(copy, 'nx.json'), 'utf8')) as NxJson;
  edit(nx);
  writeFileSync(join(copy, 'nx.json'), JSON.stringify(nx));
  git('commit', '--quiet', '--all', '--message=another nx.json');
  git('tag', '--force', 'without');
  const runs = await afterChangeOf(file, 'without');
  git('reset', '--quiet', '--hard', 'base');
  return runs;
}
type NxJson = { namedInputs: { sharedGlobals: string[] }; pluginsConfig: Record<string, object> };

const NOT_SIMULATORS = ALL.filter((app) => app !== 'simulators');
const CASES: [change: string, file: string, runs: string[]][] = [
  ['in an app', 'apps/orders/src/order.ts', ['orders']],
  ['in the simulators', 'infra/simulators/src/charge.ts', ['simulators']],
  ['in a library that all apps use', 'libs/config/src/index.ts', NOT_SIMULATORS],
  ['in a library that some use', 'libs/auth/src/index.ts', ['notifications', 'orders', 'payments']],
  ['of the Dockerfile', 'infra/docker/app.Dockerfile', ALL],
  ['of the lock file', 'package-lock.json', ALL],
  ['of the pipeline itself', '.github/workflows/app.yml', ALL],
  ['in the documentation', 'docs/guarantees.md', []],
  ['in a tool that is in no image', 'tools/doctor.ts', []],
];

describe('after a change', () => {
  it.each(CASES)('%s (%s) these pipelines run: %j', async (_what, file, runs) => {
    expect(await afterChangeOf(file)).toEqual(runs);
  });

  it('that cannot be compared with anything, as the first of a branch, all run', async () => {
    expect(await affectedApps(copy, '0'.repeat(40))).toEqual(ALL);
  });
});

// The controls: the answers above hang on what nx is told.
describe('without', () => {
  it('the list of what goes into every image, a change of the Dockerfile runs none', async () => {
    const edit = (nx: NxJson) => (nx.namedInputs.sharedGlobals = []);
    expect(await afterChangeWithout(edit, 'infra/docker/app.Dockerfile')).toEqual([]);
  });

  it('what the graph is made of, a change in a library runs none', async () => {
    const off = { analyzeSourceFiles: false, analyzePackageJson: false };
    const edit = (nx: NxJson) => (nx.pluginsConfig['@nx/js'] = off);
    expect(await afterChangeWithout(edit, 'libs/config/src/index.ts')).toEqual([]);
  });
});
