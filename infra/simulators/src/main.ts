import { randomInt } from 'node:crypto';
import { ConfigError, readConfig } from './config.ts';
import { createGatewayServer } from './gateway.server.ts';
import { createIssuerServer } from './issuer.server.ts';
import { openJournal } from './journal.file.ts';
import { keyFile } from './keys.file.ts';
import { SigningKeys } from './keys.ts';
import { seededRandom } from './random.ts';
import { runUntilSignal } from './run.server.ts';
import { createTracesServer } from './traces.server.ts';

try {
  const config = readConfig(process.env);
  const { HOST: host, LOG_LEVEL: logLevel, GATEWAY_API_KEY: apiKey, ISSUER_URL: issuerUrl } = config;
  const seed = config.GATEWAY_SEED ?? randomInt(1_000_000_000);
  const journal = openJournal(config.GATEWAY_JOURNAL);
  const keys = await SigningKeys.open(keyFile(config.ISSUER_KEY_FILE));
  const gateway = createGatewayServer({ logLevel, apiKey, journal, random: seededRandom(seed) });
  const issuer = createIssuerServer({ logLevel, issuerUrl, keys });
  const traces = createTracesServer({ logLevel, maxSpans: config.TRACES_MAX_SPANS });
  gateway.log.info(
    { seed, journal: config.GATEWAY_JOURNAL ?? null, restored: journal.past.length },
    'starting',
  );
  await runUntilSignal([
    { app: gateway, host, port: config.GATEWAY_PORT },
    { app: issuer, host, port: config.ISSUER_PORT },
    { app: traces, host, port: config.TRACES_PORT },
  ]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof ConfigError ? 78 : 1); // 78 is EX_CONFIG of sysexits.h
}
