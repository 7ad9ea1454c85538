import { configCommand, loadConfig } from '@cairn/config';
import { runCommand } from '@cairn/lifecycle';
import { schema } from './config.ts';

// The environment is judged before anything else is loaded: a bad one is told within a moment.
const start = async () => {
  const config = loadConfig(schema);
  return (await import('./start.ts')).start(config);
};
const migrate = async () => {
  const config = loadConfig(schema);
  return (await import('./admin.ts')).migrate(config);
};
const dlq = async (args: string[]) => {
  const config = loadConfig(schema, process.env, { lines: 'stderr' });
  return (await import('./admin.ts')).dlq(config, args);
};

await runCommand('worker', {
  consume: { does: 'render receipts and reports, and store them', run: start },
  all: { does: 'the same: the worker serves nothing but probes', run: start },
  migrate: { does: 'create bucket and topics', run: migrate },
  dlq: {
    does: 'list, show, replay or drop what could not be handled',
    run: dlq,
  },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async (args) => configCommand(schema, args),
  },
});
