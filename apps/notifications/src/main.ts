import { loadConfig, maskedConfig } from '@cairn/config';
import { runCommand } from '@cairn/lifecycle';
import { schema } from './config.ts';

const config = () => loadConfig(schema);
const start = () => import('./start.ts');
const admin = () => import('./admin.ts');

await runCommand('notifications', {
  serve: { does: 'answer HTTP', run: async () => (await start()).start(config(), 'serve') },
  consume: { does: 'handle events', run: async () => (await start()).start(config(), 'consume') },
  all: { does: 'serve and consume in one process', run: async () => (await start()).start(config(), 'all') },
  migrate: { does: 'bring the database up to date', run: async () => (await admin()).migrate(config()) },
  'migrate:list': { does: 'list migrations', run: async () => (await admin()).listMigrations(config()) },
  cleanup: { does: 'forget old messages', run: async () => (await admin()).cleanup(config()) },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async () => console.log(JSON.stringify(maskedConfig(schema, config()), null, 2)),
  },
});
