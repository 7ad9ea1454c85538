import { isMainThread } from 'node:worker_threads';
import { disabledTelemetry } from './disabled.ts';
import { settingsOf } from './settings.ts';
import type { Telemetry, TelemetryOptions } from './telemetry.ts';

/**
 * Starts tracing and metrics. To be called before anything else is loaded, from a file of its own:
 * `node --import ./telemetry.js main.js`. That needs no loader hook, which would cost 2 s of start-up.
 *
 * Where it is disabled, nothing of OpenTelemetry's SDK is loaded. `--import` applies to worker threads too: there it does
 * nothing either, since a second SDK in the process would count and export on its own.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const settings = settingsOf(options.env ?? process.env);
  if (settings.disabled || !isMainThread) return disabledTelemetry();
  const { createTelemetry } = await import('./sdk.ts');
  return createTelemetry(options, settings);
}
