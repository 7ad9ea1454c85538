import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from '@cairn/messaging/asyncapi';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { SENDS } from './order.events.ts';
import { OrdersConsumer } from './orders.consumer.ts';

const file = new URL('../../../contracts/orders.asyncapi.json', import.meta.url);

describe('contracts/orders.asyncapi.json', () => {
  it('is what the code sends and reads (UPDATE_CONTRACTS=1 writes it anew)', () => {
    const document = asyncApiDocument<z.ZodType>({
      service: 'orders',
      description: 'What becomes of orders, and the sales of a day.',
      version: '1.0.0',
      sends: SENDS,
      receives: new OrdersConsumer({} as never, {} as never, {} as never, {} as never).handlers,
      toJsonSchema: (schema) => z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }),
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_CONTRACTS']) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
