import type { DynamicModule } from '@nestjs/common';
import type { z } from 'zod';
import { maskedConfig } from '../config.ts';
import type { Schema } from '../schema.ts';

/** The token of the whole configuration: `@Inject(CONFIG) config: Config`, where `Config` is `z.infer<typeof schema>`. */
export const CONFIG = Symbol.for('cairn.config');
/** The token of the same as it may be printed, for an endpoint or a log line. */
export const MASKED_CONFIG = Symbol.for('cairn.config.masked');

/** Gives the configuration to every module. It was parsed before Nest came: a bad environment needs no container. */
export class ConfigModule {
  /**
   * To be imported once, by the root module.
   *
   * @param config what `loadConfig` or `parseConfig` made of the schema; it is provided as it is, not as a copy
   * @throws RangeError when the schema knows variables that the configuration does not have
   */
  static from<S extends Schema>(schema: S, config: z.infer<S>): DynamicModule {
    const missing = Object.keys(schema.shape).filter((name) => !Object.hasOwn(config, name));
    if (missing.length > 0)
      throw new RangeError(`the configuration is not of this schema: it has no ${missing.join(', ')}`);
    const providers = [
      { provide: CONFIG, useValue: config },
      { provide: MASKED_CONFIG, useValue: maskedConfig(schema, config) },
    ];
    return {
      module: ConfigModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
