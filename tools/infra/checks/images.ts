import { globSync } from 'node:fs';
import type { Check } from '../check.ts';
import { pythonTool } from '../programs/python.ts';
import { run } from '../programs/run.ts';

type Comment = { file: string; line: number; level: string; code: string; message: string };

const FOLDERS = ['apps', 'infra', 'tools'];
const skipped = (name: string) => name === 'node_modules';

export const images: Check = {
  name: 'images',
  does: 'every Dockerfile, by hadolint',
  async run(root, progress) {
    const files = FOLDERS.flatMap((folder) =>
      globSync([`${folder}/**/Dockerfile`, `${folder}/**/*.Dockerfile`], { cwd: root, exclude: skipped }),
    ).sort();
    const hadolint = await pythonTool('hadolint', progress);
    const { stdout, stderr, code } = await run(hadolint, ['--format=json', '--no-color', ...files], {
      cwd: root,
    });
    if (code > 1 || !stdout) throw new Error(`hadolint failed (exit code ${code}): ${stderr}`);
    const problems = (JSON.parse(stdout) as Comment[]).map(
      ({ file, line, level, code: rule, message }) => `${file}:${line} ${level} ${rule}: ${message}`,
    );
    return { summary: `${files.length} Dockerfiles`, problems };
  },
  controls: [
    {
      does: 'packages come in the version of the day',
      file: 'infra/docker/app.Dockerfile',
      change: (text) =>
        text.replace(/^USER 1000:1000$/m, 'RUN apt-get update && apt-get install curl\nUSER 1000:1000'),
      expects: /app\.Dockerfile:\d+ \w+ DL3008/,
    },
    {
      does: 'the user is named, not numbered',
      file: 'infra/docker/app.Dockerfile',
      change: (text) => text.replaceAll('USER 1000:1000', 'USER node'),
      expects: /app\.Dockerfile:\d+ \w+ DL3066/,
    },
  ],
};
