import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { bundle, bundleTarget, copyExternals } from './bundle.ts';

/** `npm run build [-- apps/orders] [-- --standalone]`: types and decorators by `tsc -b`, then one bundle per app. */
const ALL = [
  'apps/orders',
  'apps/payments',
  'apps/notifications',
  'apps/worker',
  'apps/scheduler',
  'infra/simulators',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { standalone: { type: 'boolean', default: false } },
});
const projects = positionals.length ? positionals : ALL;
const unknown = projects.filter((project) => !ALL.includes(project));
if (unknown.length) {
  console.error(`no project ${unknown.join(', ')}. There are: ${ALL.join(', ')}`);
  process.exit(2);
}

const { status } = spawnSync('tsc', ['-b', ...projects], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
await Promise.all(
  projects.map(async (project) => {
    const target = await bundleTarget(project);
    await bundle(target);
    if (values.standalone) await copyExternals(target);
  }),
);
console.log(`built ${projects.join(', ')}`);
