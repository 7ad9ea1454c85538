import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Health } from '@cairn/lifecycle';
import { createLogger, nestLogger } from '@cairn/logging';
import { createHttpApp, openApiDocument } from '@cairn/http';
import { readFileSync, writeFileSync } from 'node:fs';
import { AppModule } from './app.module.ts';
import { aConfig } from './config.fixture.ts';

const file = new URL('../../../contracts/notifications.openapi.json', import.meta.url);

describe('contracts/notifications.openapi.json', () => {
  it('is what the code validates and answers (UPDATE_CONTRACTS=1 writes it anew)', async () => {
    const config = aConfig();
    const logger = createLogger({ service: 'notifications', level: 'error' });
    const app = await createHttpApp(AppModule.with({ config, role: 'serve', logger, health: new Health() }), {
      logger: nestLogger(logger),
      onError: () => {},
    });
    const document = openApiDocument(app, {
      title: 'Cairn notifications',
      description: 'What a customer was told by e-mail. Errors are problem details (RFC 9457).',
      version: '1.0.0',
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
