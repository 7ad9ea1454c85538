import { parseConfig, secretsOf, type Schema } from '@cairn/config';
import { createRedactor, type Redactor } from '@cairn/logging';
import { startTelemetry, type Telemetry } from '@cairn/telemetry';

/** What has to be there before anything else is loaded. */
export type Instrumented = { service: string; redactor: Redactor; telemetry: Telemetry };

/** What runs for long. A one-off command is over before anybody could look at its metrics. */
const SERVES = new Set(['serve', 'consume', 'all']);

/**
 * For an app's `telemetry.ts`, which `node --import` loads first: a driver has to be patched before it is used. The
 * configuration is read here for its secrets only; when it is bad, `main.ts` says so, and nothing is traced.
 */
export async function instrument(
  service: string,
  schema: Schema,
  { env = process.env, command = process.argv[2] ?? '' } = {},
): Promise<Instrumented> {
  const redactor = createRedactor({ secrets: secretsIn(schema, env) });
  const telemetry = await startTelemetry({
    service,
    version: env['SERVICE_VERSION'] ?? '',
    redact: (text) => redactor.text(text),
    env: SERVES.has(command) ? env : { OTEL_SDK_DISABLED: 'true' },
  });
  return { service, redactor, telemetry };
}

function secretsIn(schema: Schema, env: NodeJS.ProcessEnv): string[] {
  try {
    return secretsOf(schema, parseConfig(schema, env));
  } catch {
    return [];
  }
}
