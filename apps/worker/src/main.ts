import { loadConfig, maskedConfig } from '@cairn/config';
import { runCommand } from '@cairn/lifecycle';
import { schema } from './config.ts';

const config = () => loadConfig(schema);
const start = async () => (await import('./start.ts')).start(config());
const admin = () => import('./admin.ts');

await runCommand('worker', {
  consume: { does: 'render receipts and reports, and store them', run: start },
  all: { does: 'the same: the worker serves nothing but probes', run: start },
  migrate: { does: 'create bucket and topics', run: async () => (await admin()).migrate(config()) },
  config: {
    does: 'print the configuration in force, secrets masked',
    run: async () => console.log(JSON.stringify(maskedConfig(schema, config()), null, 2)),
  },
});
