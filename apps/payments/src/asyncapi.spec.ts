import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from '@cairn/messaging/asyncapi';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { SENDS } from './payment.events.ts';
import { PaymentsConsumer } from './payments.consumer.ts';

const file = new URL('../../../contracts/payments.asyncapi.json', import.meta.url);

describe('contracts/payments.asyncapi.json', () => {
  it('is what the code sends and reads (UPDATE_CONTRACTS=1 writes it anew)', () => {
    const document = asyncApiDocument<z.ZodType>({
      service: 'payments',
      description: 'What becomes of payments.',
      version: '1.0.0',
      sends: SENDS,
      receives: new PaymentsConsumer({} as never, {} as never, {} as never, {} as never).handlers,
      toJsonSchema: (schema) => z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }),
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
