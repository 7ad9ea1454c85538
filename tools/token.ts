import { parseArgs } from 'node:util';
import { fetchToken } from './local/token.ts';

/** `npm run token [-- alice]`: prints a token of the development issuer, for curl. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { ttl: { type: 'string', default: '3600' } },
});
try {
  console.log(await fetchToken(positionals[0] ?? 'demo', Number(values.ttl)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
