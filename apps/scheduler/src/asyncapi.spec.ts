import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from '@cairn/messaging/asyncapi';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { SENDS } from './job.events.ts';
import { ReportsConsumer } from './reports.consumer.ts';

const file = new URL('../../../contracts/scheduler.asyncapi.json', import.meta.url);

describe('contracts/scheduler.asyncapi.json', () => {
  it('is what the code sends and reads (UPDATE_CONTRACTS=1 writes it anew)', () => {
    const document = asyncApiDocument<z.ZodType>({
      service: 'scheduler',
      description: 'Which job is due when, and who has done it.',
      version: '1.0.0',
      sends: SENDS,
      receives: new ReportsConsumer({} as never, () => {}).handlers,
      toJsonSchema: (schema) => z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }),
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
