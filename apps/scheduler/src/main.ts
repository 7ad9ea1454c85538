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

await runCommand('scheduler', {
  consume: {
    does: 'announce due jobs and relay the outbox',
    run: start,
  },
  all: { does: 'the same: there is nothing else to serve', run: start },
  migrate: {
    does: 'bring database and topics up to date',
    run: () => task('migrate'),
  },
  'migrate:list': { does: 'list migrations', run: () => task('listMigrations') },
  cleanup: { does: 'forget old runs', run: () => task('cleanup') },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async (args) => configCommand(schema, args),
  },
});
