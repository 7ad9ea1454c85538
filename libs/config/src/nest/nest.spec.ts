import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { parseConfig, port, url } from '../index.ts';
import { CONFIG, ConfigModule, MASKED_CONFIG } from './index.ts';

// Real: Nest's container.
const schema = z.object({
  PORT: port('where it listens', 3000),
  DATABASE_URL: url('its database', ['postgres']),
});
type Config = z.infer<typeof schema>;
const config = parseConfig(schema, { DATABASE_URL: 'postgres://app:hunter2@db/x' });

@Injectable()
class Service {
  constructor(@Inject(CONFIG) readonly config: Config) {}
}

/** Does not import the configuration: it is global. */
@Module({ providers: [Service], exports: [Service] })
class Feature {}

let app: INestApplicationContext | undefined;
afterEach(() => app?.close());

describe('ConfigModule', () => {
  it('gives the configuration to every module, typed, as it is', async () => {
    class App {}
    Module({ imports: [ConfigModule.from(schema, config), Feature] })(App);
    app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    const { PORT } = app.get(Service).config;
    expect(PORT satisfies number).toBe(3000);
    expect(app.get(Service).config).toBe(config);
    expect(app.get<object>(MASKED_CONFIG)).toMatchObject({ DATABASE_URL: 'postgres://app:********@db/x' });
  });

  it('is not there when nobody imports it', async () => {
    class App {}
    Module({ imports: [Feature] })(App);
    const start = NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    await expect(start).rejects.toThrow('Service');
  });

  it('refuses a configuration of another schema', () => {
    expect(() => ConfigModule.from(schema, { PORT: 1 } as Config)).toThrow('it has no DATABASE_URL');
  });
});
