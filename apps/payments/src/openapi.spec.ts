import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { platformOf } from '@cairn/boot';
import { nestLogger } from '@cairn/logging/nest';
import { createHttpApp, openApiDocument } from '@cairn/http';
import { readFileSync, writeFileSync } from 'node:fs';
import { AppModule, createParts } from './app.module.ts';
import { aConfig } from './config.fixture.ts';
import { instrumented } from './telemetry.ts';

const file = new URL('../../../contracts/payments.openapi.json', import.meta.url);

describe('contracts/payments.openapi.json', () => {
  it('is what the code validates and answers (UPDATE_CONTRACTS=1 writes it anew)', async () => {
    const config = aConfig({ LOG_LEVEL: 'error' });
    const platform = platformOf(config, instrumented);
    const parts = createParts(config, platform);
    const module = AppModule.with({ config, role: 'serve', parts, health: platform.health });
    const app = await createHttpApp(module, {
      logger: nestLogger(platform.logger),
      onError: () => {},
    });
    const document = openApiDocument(app, {
      title: 'Cairn payments',
      description: 'Payments of a customer. Errors are problem details (RFC 9457).',
      version: '1.0.0',
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
