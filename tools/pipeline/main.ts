import { parseArgs } from 'node:util';
import { APPS, type AppName } from '../local/apps.ts';
import { repoRoot } from '../stack/paths.ts';
import { printer, step } from '../stack/progress.ts';
import { affectedApps, pipelines } from './affected.ts';
import { lint, test } from './check.ts';
import { dryRun } from './dry-run.ts';

/** `npm run pipeline -- orders`: the pipeline of one app on this machine, by the steps that `.github/workflows/app.yml` runs. */
const USAGE = `npm run pipeline -- <app> [--quick]
  ${APPS.join(', ')}
  --quick   from the image on: without lint and tests`;

process.exitCode = await main().catch((error: unknown) => {
  const { message, cause } = error as Error;
  console.error(`\n✗ ${message}${cause instanceof Error ? `\n  ${cause.message}` : ''}`);
  return 1;
});
// Whatever still holds the event loop must not keep the terminal.
process.exit();

async function main(): Promise<number> {
  const { app, quick } = asked();
  const { folder } = pipelines(repoRoot).find((one) => one.app === app)!;
  const report = printer();
  const affected = await step(report, 'affected', 'whose pipelines the last commit runs', () =>
    affectedApps(repoRoot, 'HEAD~1'),
  );
  console.log(`·           ${affected.join(', ') || 'none'}; ${app} is run as asked`);
  if (!quick) {
    await step(report, 'lint', folder, () => lint(repoRoot, folder));
    await step(report, 'test', folder, () => test(repoRoot, folder));
  }
  return dryRun(app, folder);
}

function asked(): { app: AppName; quick: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { quick: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const app = APPS.find((name) => name === positionals[0]);
    if (!app || positionals.length > 1) throw new Error(`which app? "${positionals.join(' ')}" is none`);
    return { app, quick: values.quick };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}
