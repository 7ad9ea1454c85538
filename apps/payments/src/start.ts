import 'reflect-metadata';
import { platformOf, runApp } from '@cairn/boot';
import { AppModule, createParts, type Role } from './app.module.ts';
import type { Config } from './config.ts';
import { instrumented } from './telemetry.ts';

/** Runs the process in its role until a signal ends it. */
export async function start(config: Config, role: Role): Promise<void> {
  const platform = platformOf(config, instrumented);
  const parts = createParts(config, platform);
  await runApp(platform, config, {
    role,
    module: AppModule.with({ config, role, parts, health: platform.health }),
    ...(role !== 'serve' && { begin: parts.begin, finish: parts.finish }),
  });
}
