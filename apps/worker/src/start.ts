import 'reflect-metadata';
import { platformOf, runApp } from '@cairn/boot';
import { AppModule, createParts } from './app.module.ts';
import type { Config } from './config.ts';
import { instrumented } from './telemetry.ts';

/** Runs the process until a signal ends it. */
export async function start(config: Config): Promise<void> {
  const platform = platformOf(config, instrumented);
  const { begin, finish } = createParts(config, platform);
  await runApp(platform, config, { role: 'consume', module: AppModule.with(platform.health), begin, finish });
}
