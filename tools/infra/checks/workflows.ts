import { globSync } from 'node:fs';
import type { Check } from '../check.ts';
import { goTool } from '../programs/go.ts';
import { pythonTool } from '../programs/python.ts';
import { run } from '../programs/run.ts';

type Mistake = { message: string; filepath: string; line: number; kind: string };
type Place = { symbolic: { kind: string }; concrete: { location: { start_point: { row: number } } } };
type Finding = {
  ident: string;
  desc: string;
  url: string;
  ignored: boolean;
  determinations: { severity: string };
  locations: (Place & { symbolic: { key: { Local?: { verbatim_path: string } }; annotation: string } })[];
};

/** One more job at the end of a workflow. */
const job = (step: string) => (text: string) =>
  `${text.trimEnd()}\n\n  control:\n    runs-on: ubuntu-latest\n    steps:\n      - ${step}\n`;
const CI = '.github/workflows/ci.yml';

export const workflows: Check = {
  name: 'workflows',
  does: 'the workflows of GitHub: actionlint (their scripts by shellcheck) and zizmor, without network',
  async run(root, progress) {
    const flows = globSync('.github/workflows/*.yml', { cwd: root }).sort();
    const actions = globSync('.github/actions/*/action.yml', { cwd: root }).sort();
    const shellcheck = await pythonTool('shellcheck', progress);
    const zizmor = await pythonTool('zizmor', progress);
    const actionlint = await goTool('actionlint', progress);
    const problems = [
      ...(await mistakes(root, [actionlint, '-shellcheck', shellcheck, '-pyflakes=', ...flows])),
      ...(await risks(root, zizmor, [...flows, ...actions])),
    ];
    const parts = actions.length ? ` and ${actions.length} actions` : '';
    return { summary: `${flows.length} workflows${parts}`, problems };
  },
  controls: [
    {
      does: 'a key is misspelt',
      file: CI,
      change: (text) => text.replace('runs-on:', 'run-on:'),
      expects: /ci\.yml:\d+ .*"run-on"/,
    },
    {
      does: 'a script leaves a variable without quotes',
      file: CI,
      change: job('run: rm -r $HOME/build'),
      expects: /ci\.yml:\d+ shellcheck: .*SC2086/,
    },
    {
      does: 'an action is taken by a tag',
      file: CI,
      change: job('uses: actions/setup-node@v6'),
      expects: /ci\.yml:\d+ \w+ unpinned-uses/,
    },
    {
      does: 'the title of a pull request is run as a script',
      file: CI,
      change: job("run: echo '${{ github.event.pull_request.title }}'"),
      expects: /ci\.yml:\d+ \w+ template-injection/,
    },
    {
      does: 'a job may write everything',
      file: CI,
      change: (text) =>
        job('run: date')(text).replace('  control:\n', '  control:\n    permissions: write-all\n'),
      expects: /ci\.yml:\d+ \w+ excessive-permissions/,
    },
  ],
};

async function mistakes(root: string, [command = '', ...args]: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await run(command, ['-format', '{{json .}}', ...args], { cwd: root });
  if (code > 1 || !stdout) throw new Error(`actionlint failed (exit code ${code}): ${stderr}`);
  const told = JSON.parse(stdout) as Mistake[];
  return told.map(({ filepath, line, kind, message }) => `${filepath}:${line} ${kind}: ${message}`);
}

async function risks(root: string, zizmor: string, files: string[]): Promise<string[]> {
  // Git ignores the folder that controls work in, and zizmor would follow it.
  const args = ['--offline', '--no-exit-codes', '--no-progress', '--format=json', '--collect=all', ...files];
  const { stdout, stderr, code } = await run(zizmor, args, { cwd: root });
  if (code !== 0) throw new Error(`zizmor failed (exit code ${code}): ${stderr}`);
  return (JSON.parse(stdout) as Finding[])
    .filter(({ ignored }) => !ignored)
    .map(({ ident, desc, url, determinations: { severity }, locations }) => {
      const { symbolic, concrete } =
        locations.find((place) => place.symbolic.kind === 'Primary') ?? locations[0]!;
      const at = `${symbolic.key.Local?.verbatim_path}:${concrete.location.start_point.row + 1}`;
      return `${at} ${severity} ${ident}: ${desc}: ${symbolic.annotation} (${url})`;
    });
}
