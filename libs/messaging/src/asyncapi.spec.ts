import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from './asyncapi.ts';
import { reads } from './handler.ts';

const schema = (type: string) => ({ type, safeParse: (data: unknown) => ({ success: true as const, data }) });
const base = {
  service: 'shop',
  description: 'Sells.',
  version: '1.0.0',
  toJsonSchema: ({ type }: { type: string }) => ({ $schema: 'left out', type }),
};

describe('an AsyncAPI document', () => {
  it('has what a service sends and receives, each by its topic', () => {
    const document = asyncApiDocument({
      ...base,
      sends: { orders: { 'order.paid.v1': schema('object') } },
      receives: { payments: { 'payment.succeeded.v1': reads(schema('string'), async () => {}) } },
    });
    expect(Object.keys(document.channels)).toEqual(['orders', 'payments']);
    expect(document.operations).toMatchObject({
      'send.order.paid.v1': { action: 'send', channel: { $ref: '#/channels/orders' } },
      'receive.payment.succeeded.v1': {
        action: 'receive',
        bindings: { kafka: { groupId: { const: 'shop' } } },
      },
    });
    expect(document.components.messages['receive.payment.succeeded.v1']!.payload).toMatchObject({
      properties: { type: { const: 'payment.succeeded.v1' }, data: { type: 'string' } },
    });
    expect(JSON.stringify(document)).not.toContain('left out');
  });

  it('can be made of nobody whose handler says not what it reads', () => {
    const receives = { payments: { 'payment.failed.v1': async () => {} } };
    expect(() => asyncApiDocument({ ...base, receives })).toThrow(
      'the handler of payment.failed.v1 has no schema',
    );
  });
});
