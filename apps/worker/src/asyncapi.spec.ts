import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from '@cairn/messaging/asyncapi';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { SENDS } from './receipt.events.ts';
import { ReceiptsConsumer } from './receipts.consumer.ts';

const file = new URL('../../../contracts/worker.asyncapi.json', import.meta.url);

describe('contracts/worker.asyncapi.json', () => {
  it('is what the code sends and reads (UPDATE_CONTRACTS=1 writes it anew)', () => {
    const document = asyncApiDocument<z.ZodType>({
      service: 'worker',
      description: 'Receipts in object storage.',
      version: '1.0.0',
      sends: SENDS,
      receives: new ReceiptsConsumer({} as never).handlers,
      toJsonSchema: (schema) => z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }),
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
