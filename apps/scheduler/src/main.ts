import { loadConfig, maskedConfig } from '@cairn/config';
import { runCommand } from '@cairn/lifecycle';
import { schema } from './config.ts';

const config = () => loadConfig(schema);
const start = () => import('./start.ts');
const admin = () => import('./admin.ts');

await runCommand('scheduler', {
  consume: {
    does: 'announce due jobs and relay the outbox',
    run: async () => (await start()).start(config()),
  },
  all: { does: 'the same: there is nothing else to serve', run: async () => (await start()).start(config()) },
  migrate: {
    does: 'bring database and topics up to date',
    run: async () => (await admin()).migrate(config()),
  },
  'migrate:list': { does: 'list migrations', run: async () => (await admin()).listMigrations(config()) },
  cleanup: { does: 'forget old runs', run: async () => (await admin()).cleanup(config()) },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async () => console.log(JSON.stringify(maskedConfig(schema, config()), null, 2)),
  },
});
