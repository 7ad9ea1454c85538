import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../check.ts';
import { pythonTool } from '../programs/python.ts';
import { run } from '../programs/run.ts';

type Comment = { file: string; line: number; level: string; code: number; message: string };

/** Every script that a shell runs, by its name or its first line. Those inside of workflows are actionlint's. */
export function scripts(root: string): string[] {
  const exclude = (name: string) => SKIPPED.has(name);
  const byName = globSync('**/*.sh', { cwd: root, exclude });
  const others = ['.ci/*', 'tools/pipeline/steps/*'].flatMap((pattern) => globSync(pattern, { cwd: root }));
  const isScript = (file: string) =>
    statSync(join(root, file)).isFile() &&
    /^#!.*\b(ba|da)?sh\b/.test(readFileSync(join(root, file), 'utf8').slice(0, 80));
  return [...new Set([...byName, ...others.filter(isScript)])].sort();
}

const SKIPPED = new Set(['node_modules', '.git', '.stack', '.nx', 'dist', 'bundle']);

export const shell: Check = {
  name: 'shell',
  does: 'every shell script, by shellcheck',
  async run(root, progress) {
    const files = scripts(root);
    const shellcheck = await pythonTool('shellcheck', progress);
    const { stdout, stderr, code } = await run(shellcheck, ['--format=json', ...files], { cwd: root });
    if (code > 1) throw new Error(`shellcheck failed (exit code ${code}): ${stderr}`);
    const problems = (JSON.parse(stdout) as Comment[]).map(
      ({ file, line, level, code: rule, message }) => `${file}:${line} ${level} SC${rule}: ${message}`,
    );
    return { summary: `${files.length} scripts`, problems };
  },
  controls: [
    {
      does: 'a folder is left without quotes',
      file: '.ci/run',
      change: (text) => `${text}\nrm -r $1/build\n`,
      expects: /\.ci\/run:\d+ .*SC(2086|2115)/,
    },
  ],
};
