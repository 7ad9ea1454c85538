import { configCommand, loadConfig } from '@cairn/config';
import { runCommand } from '@cairn/lifecycle';
import { schema } from './config.ts';

// The environment is judged before anything else is loaded: a bad one is told within a moment.
const start = async () => {
  const config = loadConfig(schema);
  return (await import('./start.ts')).start(config);
};
const task = async (name: 'migrate' | 'listMigrations' | 'cleanup') => {
  const config = loadConfig(schema);
  return (await import('./admin.ts'))[name](config);
};
const dlq = async (args: string[]) => {
  const config = loadConfig(schema, process.env, { lines: 'stderr' });
  return (await import('./admin.ts')).dlq(config, args);
};
const listRuns = async (args: string[]) => {
  const { runsQueryOf, RUNS_USAGE } = await import('./run.ts');
  let query;
  try {
    query = runsQueryOf(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nscheduler ${RUNS_USAGE}\n`);
    process.exit(2);
  }
  const config = loadConfig(schema);
  return (await import('./admin.ts')).runs(config, query);
};

await runCommand('scheduler', {
  consume: {
    does: 'announce due jobs, handle reports and relay the outbox',
    run: start,
  },
  all: { does: 'the same: there is nothing else to serve', run: start },
  migrate: {
    does: 'bring database and topics up to date',
    run: () => task('migrate'),
  },
  'migrate:list': { does: 'list migrations', run: () => task('listMigrations') },
  cleanup: { does: 'forget old runs and messages', run: () => task('cleanup') },
  runs: { does: 'list the latest runs and who reported them (--job <name>, --limit <n>)', run: listRuns },
  dlq: {
    does: 'list, show, replay or drop what could not be handled',
    run: dlq,
  },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async (args) => configCommand(schema, args),
  },
});
