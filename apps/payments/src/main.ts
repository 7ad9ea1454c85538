import { configCommand, loadConfig } from '@cairn/config';
import { runCommand } from '@cairn/lifecycle';
import { schema } from './config.ts';

// The environment is judged before anything else is loaded: a bad one is told within a moment.
const start = async (role: 'serve' | 'consume' | 'all') => {
  const config = loadConfig(schema);
  return (await import('./start.ts')).start(config, role);
};
const task = async (name: 'migrate' | 'listMigrations' | 'cleanup') => {
  const config = loadConfig(schema);
  return (await import('./admin.ts'))[name](config);
};
const dlq = async (args: string[]) => {
  const config = loadConfig(schema, process.env, { lines: 'stderr' });
  return (await import('./admin.ts')).dlq(config, args);
};
const reconcile = async (args: string[]) => {
  const config = loadConfig(schema, process.env, { lines: 'stderr' });
  return (await import('./admin.ts')).reconcile(config, args);
};

await runCommand('payments', {
  serve: { does: 'answer HTTP', run: () => start('serve') },
  consume: {
    does: 'handle events and relay the outbox',
    run: () => start('consume'),
  },
  all: { does: 'serve and consume in one process', run: () => start('all') },
  migrate: {
    does: 'bring database and topics up to date',
    run: () => task('migrate'),
  },
  'migrate:list': { does: 'list migrations', run: () => task('listMigrations') },
  cleanup: { does: 'forget old messages', run: () => task('cleanup') },
  reconcile: {
    does: 'compare the books of gateway, payments and orders, and repair them; --since <time>',
    run: reconcile,
  },
  dlq: {
    does: 'list, show, replay or drop what could not be handled',
    run: dlq,
  },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async (args) => configCommand(schema, args),
  },
});
